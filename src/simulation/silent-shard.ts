// A fault of its own: a shard's committee says nothing in it, or only to some, while all else goes on. Whatever is the cause, one shard alone stands still until the
// beacon takes it over (protocol, section 6).
import type { ChainId } from '../core/primitives/ids.ts';
import type { PeerName } from '../network/ports.ts';

/** Nodes whose words in the consensus of a shard nobody hears, but for those named. */
export interface SilentShard {
  readonly kind: 'silent-shard';
  readonly shard: ChainId;
  readonly nodes: readonly number[];
  /** Nobody when absent. */
  readonly heardBy?: readonly number[];
}

/** What is said by one node to another on a topic, and not heard. */
export type Mute = (from: PeerName, to: PeerName, topic: string) => boolean;

/** The mute of a silent shard among nodes of these names. */
export function muteOf({ shard, nodes, heardBy = [] }: SilentShard, names: readonly PeerName[]): Mute {
  const silent = new Set(nodes.map((index) => names[index]));
  const hearing = new Set(heardBy.map((index) => names[index]));
  const mark = `/${shard}/consensus/`;
  return (from, to, topic) => silent.has(from) && !hearing.has(to) && topic.includes(mark);
}
