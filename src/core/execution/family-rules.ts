// What a call does when its target is of another family (protocol, section 5, "Foreign accounts in EVM code"). One function decides for
// both interpreter loops. Precompiles are of every family, but no value can be sent to them. The
// messenger takes nothing but a CALL from a frame that may change state.
import { concatBytes, hex } from '../primitives/bytes.ts';
import type { Address } from '../primitives/ids.ts';

/** `ForeignCall(address)`. */
const FOREIGN_CALL_SELECTOR = hex('c6537837');
const ADDRESS_PADDING = new Uint8Array(12);

/** The opcodes that call. */
export type CallKind = 'call' | 'callcode' | 'delegatecall' | 'staticcall';

/** What the caller knows of the callee, before anything has happened. */
export interface CallFacts {
  readonly kind: CallKind;
  readonly isStaticFrame: boolean;
  readonly hasValue: boolean;
  readonly hasData: boolean;
  readonly isPrecompile: boolean;
  readonly isMessenger: boolean;
  /** The address is the family itself or has a record in it now. */
  readonly isOfFamily: boolean;
}

/** Run it here; emit a message and return 1; do nothing and return 1; let the messenger read it; return 0 with the typed error. */
export type CallRoute = 'local' | 'send' | 'nothing' | 'messenger' | 'foreign-call';

/** Routes one call. */
export function routeCall(facts: CallFacts): CallRoute {
  const { kind, hasValue } = facts;
  if (facts.isMessenger) return kind === 'call' && !facts.isStaticFrame ? 'messenger' : 'foreign-call';
  if (facts.isPrecompile) return kind === 'call' && hasValue ? 'foreign-call' : 'local';
  if (facts.isOfFamily) return 'local';
  if (kind !== 'call' || facts.isStaticFrame || facts.hasData) return 'foreign-call';
  return hasValue ? 'send' : 'nothing';
}

/** The return data of a call that crosses families: the ABI error `ForeignCall(callee)`. */
export function foreignCallError(callee: Address): Uint8Array {
  return concatBytes(FOREIGN_CALL_SELECTOR, ADDRESS_PADDING, callee);
}
