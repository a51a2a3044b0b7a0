// The operational faults of storage: each ends a start or a node with one clear line, never with something overwritten.
import type {} from '../core/primitives/errors.ts';

declare module '../core/primitives/errors.ts' {
  interface ErrorFacts {
    /** Bytes on disk that are not what was written: a wrong checksum, or a row of the wrong shape. */
    'storage/corrupt': { readonly path: string; readonly key?: string; readonly detail: string };
    /** Block `missing` is not there although a later one, `newest`, is: the database lost part of what was written. Without a chain, of the view. */
    'storage/incomplete': { readonly missing: number; readonly newest: number; readonly chain?: number };
    /** The database was made by a node that followed its own shards: up to `height`, what the others did is not in it. */
    'storage/partial': { readonly height: number };
    /** Another process (or another part of this one) holds it. */
    'storage/locked': { readonly path: string; readonly holder?: string };
    /** Something else's data: not a Coppice database, or of another schema version, or of another network. */
    'storage/foreign': { readonly path: string; readonly expected: string; readonly found: string };
    /** The operating system refused. */
    'storage/unavailable': { readonly path: string; readonly detail: string };
  }
}
