// The names on the wire. One gossip topic for each (network, chain, kind); the first four bytes of the genesis root keep two
// networks apart that share a wire. Request protocols need no such prefix: their first exchange carries the genesis root.

import { bytesToHex } from '../core/primitives/bytes.ts';
import { invariant } from '../core/primitives/errors.ts';
import type { Bytes32, ChainId } from '../core/primitives/ids.ts';

/** What a topic carries; addresses and crosslinks are the beacon's, one topic for the network. */
export type TopicKind = 'consensus' | 'transactions' | 'evidence' | 'addresses' | 'crosslinks';

/** Every kind, in a fixed order. */
export const TOPIC_KINDS: readonly TopicKind[] = ['consensus', 'transactions', 'evidence', 'addresses', 'crosslinks'];

const PROTOCOL_NAME = /^[a-z][a-z0-9-]{0,31}$/;

/** `/coppice/<first 4 bytes of the genesis root>/<chain>/<kind>/1`. */
export function topicName(genesisRoot: Bytes32, chain: ChainId, kind: TopicKind): string {
  return `${topicPrefix(genesisRoot)}${chain}/${kind}/1`;
}

/** What every topic of a network begins with. */
export function topicPrefix(genesisRoot: Bytes32): string {
  return `/coppice/${bytesToHex(genesisRoot.subarray(0, 4))}/`;
}

/** `/coppice/<name>/1`: a request protocol. */
export function protocolName(name: string): string {
  invariant(PROTOCOL_NAME.test(name), `a protocol's name is short kebab-case, not ${name}`);
  return `/coppice/${name}/1`;
}
