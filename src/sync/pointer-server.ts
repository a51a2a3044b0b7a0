// Serves pointer proofs to leaders of other shards (protocol, section 5, "Where a message goes"), of what this node's own shards have.
import type { Address, Height } from '../core/primitives/ids.ts';
import type { PeerName, Request } from '../network/ports.ts';
import type { Clock } from '../runtime/ports.ts';
import { type ByteRates, ByteRation } from './byte-ration.ts';
import { decodePointersRequest, POINTERS_PROTOCOL } from './pointer-protocol.ts';

const KIB = 1024;
/** A proof is one way down the tree, 1 to 3 KiB, made in a fraction of a millisecond. */
const POINTER_RATES: ByteRates = {
  ofPeer: { perSecond: 256 * KIB, burst: 1024 * KIB },
  inAll: { perSecond: 1024 * KIB, burst: 4096 * KIB },
};

/** What serving needs of the node. */
export interface PointerServerDependencies {
  /** The encoded proof (core/shard/pointer-proof.ts) in the world after a beacon block; undefined where this node cannot make it. */
  readonly prove: (target: Address, beaconHeight: Height) => Uint8Array | undefined;
  readonly clock: Pick<Clock, 'nowMs'>;
  /** Told of each request that no honest node sends. */
  readonly onBadRequest: (peer: PeerName, reason: string) => void;
}

/** Answers the pointers protocol. */
export function servePointers(request: Request, { prove, clock, onBadRequest }: PointerServerDependencies): void {
  const ration = new ByteRation(clock, POINTER_RATES);
  request.handle(POINTERS_PROTOCOL, function* (peer, body) {
    const asked = decodePointersRequest(body);
    if (!asked.ok) {
      onBadRequest(peer, 'bad-pointers-request');
      return;
    }
    const { beaconHeight, targets } = asked.value;
    for (const target of targets) {
      const proof = prove(target, beaconHeight);
      if (proof === undefined) continue;
      if (!ration.admits(peer, proof.length)) return;
      yield proof;
    }
  });
}
