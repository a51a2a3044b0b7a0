// What can be wrong before a node runs: each is one clear line and exit code 1, with nothing overwritten.
import type {} from '../core/primitives/errors.ts';

declare module '../core/primitives/errors.ts' {
  interface ErrorFacts {
    /** config.json, an environment variable or a flag is not what it must be. */
    'config/invalid': { readonly source: string; readonly detail: string };
    /** genesis.json or a preset is not what it must be. */
    'genesis/invalid': { readonly path: string; readonly detail: string };
    /** A file that `coppice init` or `coppice keys` makes is not there. */
    'data-directory/missing': { readonly path: string; readonly advice: string };
    /** `coppice init` or `coppice keys` found something that it would have to overwrite. */
    'data-directory/exists': { readonly path: string };
    /** The seed file is not 32 bytes of hexadecimal. */
    'keys/invalid': { readonly path: string; readonly detail: string };
    /** The keys are of no validator of this genesis. */
    'keys/foreign': { readonly path: string; readonly detail: string };
    /** A validator's database holds blocks up to a height, and what it signed for them is gone. */
    'signing-record/missing': { readonly path: string; readonly height: number };
    /** The signing folder was begun by another validator's key. */
    'signing-record/foreign': { readonly path: string; readonly expected: string; readonly found: string };
    /** A file that should hold evidence holds nothing that could be. */
    'evidence/unreadable': { readonly path: string; readonly detail: string };
    /** A host and port that the node must listen on are not this machine's, taken, or not for this user. */
    'node/cannot-listen': {
      readonly service: string;
      readonly host: string;
      readonly port: number;
      readonly detail: string;
      /** The node is one of `coppice devnet`, which gives it its ports. */
      readonly isOfDevnet?: boolean;
    };
  }
}
