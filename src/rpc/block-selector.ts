// Which block a client means: a number, a tag, a hash, or EIP-1898's object. `latest`, `safe` and `finalized` are one block, the newest
// finalised one, so the chain that clients see never reorganises (protocol, section 7); `pending` is what comes after it.
import type { Hex } from '../core/primitives/ids.ts';
import { accept, refuse } from '../core/primitives/verdict.ts';
import type { StateReader } from '../core/state/state-reader.ts';
import type { ViewBlock } from '../core/view/view-block.ts';
import { headerNotFound, type RpcError, stateUnavailable } from './errors.ts';
import { expected, isObject, type Read, readBoolean, readHashHex, readMembers, readQuantity } from './parameter.ts';
import type { RpcPorts } from './ports.ts';

/** See the file's head. */
export type BlockSelector =
  | { readonly kind: 'latest' | 'pending' | 'earliest' }
  | { readonly kind: 'number'; readonly number: number }
  | { readonly kind: 'hash'; readonly hash: Hex };

/** What most methods mean when the client says nothing. */
export const LATEST: BlockSelector = { kind: 'latest' };
/** Where a transaction that is sent now will run. */
export const PENDING: BlockSelector = { kind: 'pending' };

const TAGS: ReadonlyMap<string, BlockSelector> = new Map([
  ['latest', LATEST],
  ['safe', LATEST],
  ['finalized', LATEST],
  ['pending', PENDING],
  ['earliest', { kind: 'earliest' }],
]);

/** A number or a tag. */
export const readBlockNumberOrTag: Read<BlockSelector> = (value) => {
  const tag = typeof value === 'string' ? TAGS.get(value) : undefined;
  if (tag !== undefined) return accept(tag);
  const number = readQuantity(value);
  return number.ok
    ? accept({ kind: 'number', number: number.value })
    : expected('a block number in 0x-prefixed hexadecimal, or latest, safe, finalized, pending or earliest', value);
};

/** A number, a tag, a hash, or `{ blockNumber }` or `{ blockHash, requireCanonical }` (EIP-1898; every block here is canonical). */
export const readBlockSelector: Read<BlockSelector> = (value) => {
  if (!isObject(value)) {
    const hash = typeof value === 'string' && value.length === 66 ? readHashHex(value) : undefined;
    return hash?.ok === true ? accept({ kind: 'hash', hash: hash.value }) : readBlockNumberOrTag(value);
  }
  const members = readMembers(value, { blockHash: readHashHex, blockNumber: readBlockNumberOrTag, requireCanonical: readBoolean });
  if (!members.ok) return members;
  const { blockHash, blockNumber } = members.value;
  if (blockHash !== undefined && blockNumber === undefined) return accept({ kind: 'hash', hash: blockHash });
  if (blockHash === undefined && blockNumber !== undefined) return accept(blockNumber);
  return refuse('invalid', 'expected either blockHash or blockNumber');
};

/** The number that a selector comes down to; `pending` is the one after the head. Undefined for an unknown hash. */
export async function numberOf(selector: BlockSelector, ports: RpcPorts): Promise<number | undefined> {
  switch (selector.kind) {
    case 'latest':
      return ports.view.head().header.number;
    case 'pending':
      return ports.view.head().header.number + 1;
    case 'earliest':
      return ports.view.oldestNumber();
    case 'number':
      return selector.number;
    case 'hash':
      return (await ports.view.blockByHash(selector.hash))?.header.number;
  }
}

/** The finalised block that a selector means; undefined when there is none, and for `pending`, which is not final. */
export async function finalBlockOf(selector: BlockSelector, ports: RpcPorts): Promise<ViewBlock | undefined> {
  switch (selector.kind) {
    case 'latest':
      return ports.view.head();
    case 'pending':
      return undefined;
    case 'earliest':
      return ports.view.blockByNumber(ports.view.oldestNumber());
    case 'number':
      return ports.view.blockByNumber(selector.number);
    case 'hash':
      return ports.view.blockByHash(selector.hash);
  }
}

/** A version of the state and the block that it is of. */
export interface SelectedState {
  readonly state: StateReader;
  readonly block: number | 'pending';
}

/** The state after the block that a selector means. */
export async function stateOf(selector: BlockSelector, ports: RpcPorts): Promise<SelectedState | RpcError> {
  if (selector.kind === 'pending') return { state: ports.state.pendingState(), block: 'pending' };
  const number = await numberOf(selector, ports);
  if (number === undefined || number > ports.view.head().header.number) return headerNotFound();
  const state = await ports.state.stateAt(number);
  return state === undefined ? stateUnavailable(number) : { state, block: number };
}
