// Whom to ask for what is missing, where more peers are connected than are asked at once: those first who say that they have it. What they say is
// not believed, only tried: who lies is asked in vain, and the next try begins with another peer.

import { bytesEqual } from '../core/primitives/bytes.ts';
import type { Bytes32, Height } from '../core/primitives/ids.ts';
import { decodeCanonical } from '../core/protocol/ssz.ts';
import type { Network, PeerName } from '../network/ports.ts';
import { askPeer } from './ask-peer.ts';
import { BLOCK_PROTOCOLS, Status, StatusRequest } from './block-protocol.ts';

/** Peers that are asked where they stand; the others are asked in later tries. */
const STATUSES_ASKED_MAX = 12;
const STATUS_TIMEOUT_MS = 500;
const STATUS_BYTES_MAX = 256;
/** Weight of a status that no honest peer gives. */
const BAD_STATUS_WEIGHT = 20;

/** The peers in their order, but those that say that they have committed the height of the instance before all others. */
export async function peersAheadFirst(
  network: Network,
  peers: readonly PeerName[],
  { instanceId, height }: { readonly instanceId: Bytes32; readonly height: Height },
): Promise<readonly PeerName[]> {
  const asked = peers.slice(0, STATUSES_ASKED_MAX);
  const heights = await Promise.all(asked.map((peer) => committedHeightOf(network, peer, instanceId)));
  const isAhead = (_peer: PeerName, place: number): boolean => (heights[place] ?? -1) >= height;
  const isBehind = (peer: PeerName, place: number): boolean => !isAhead(peer, place);
  return [...asked.filter(isAhead), ...peers.filter(isBehind)];
}

async function committedHeightOf(network: Network, peer: PeerName, instanceId: Bytes32): Promise<Height | undefined> {
  const body = StatusRequest.serialize({ instanceId });
  const limits = { timeoutMs: STATUS_TIMEOUT_MS, responseBytesMax: STATUS_BYTES_MAX };
  const [frame] = (await askPeer(network, peer, BLOCK_PROTOCOLS.status, body, limits)) ?? [];
  if (frame === undefined) return undefined;
  const status = decodeCanonical(Status, frame);
  if (status.ok && bytesEqual(status.value.instanceId, instanceId)) return status.value.committedHeight;
  network.peers.misbehaved(peer, 'bad-status-answer', BAD_STATUS_WEIGHT);
  return undefined;
}
