// What JSON-RPC gets of a node that follows its own shards: it has no view and no state of the world, so whatever needs them has one answer, which says
// whom to ask instead (rpc/dispatch.ts makes it of this error). How far the chain is it knows from the beacon.
import { CoppiceError } from '../core/primitives/errors.ts';
import type { RpcPorts, SyncProgress } from '../rpc/ports.ts';
import '../rpc/errors.ts';

/** What such a node knows of the view. */
export interface KnownOfView {
  readonly headNumber: () => number;
  readonly syncing: () => SyncProgress | undefined;
}

/** See the file's head. */
export function partialPorts({ headNumber, syncing }: KnownOfView): Pick<RpcPorts, 'view' | 'state'> {
  return {
    view: {
      headNumber,
      syncing,
      head: notFollowed,
      blockByNumber: notFollowed,
      blockByHash: notFollowed,
      headerByNumber: notFollowed,
      transactionLocation: notFollowed,
      blocksWithMessagesOf: notFollowed,
      messagesUnderWay: notFollowed,
      oldestNumber: notFollowed,
      supplyAt: notFollowed,
    },
    state: { stateAt: notFollowed, pendingState: notFollowed, lowestUnminedNonce: notFollowed, prove: notFollowed },
  };
}

/** The error for whatever needs all shards. */
export function notFollowed(): never {
  throw new CoppiceError('rpc/shards-not-followed', {});
}
