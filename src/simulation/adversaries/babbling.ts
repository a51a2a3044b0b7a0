// Sends bytes that mean nothing beside what it has to say, and damaged copies of it.
import type { SeededRandom } from '../random.ts';
import { sayingOnConsensus } from './speech.ts';
import type { Adversary } from './strategy.ts';

const BABBLE_SHARE = 0.1;
const BABBLE_BYTES_MAX = 400;

/** See the file's head. */
export const babbling: Adversary = (own, { random, whisper }) =>
  sayingOnConsensus(own, (topic, data) => {
    for (const peer of own.peers.connected()) {
      if (random.chance(BABBLE_SHARE)) whisper(peer, topic, noise(random));
      if (random.chance(BABBLE_SHARE)) whisper(peer, topic, damaged(random, data));
    }
    return own.pubSub.publish(topic, data);
  });

/** Bytes that mean nothing. */
export function noise(random: SeededRandom): Uint8Array {
  return Uint8Array.from({ length: random.integer(1, BABBLE_BYTES_MAX) }, () => random.integer(0, 256));
}

/** The bytes with one bit wrong, or cut off. */
export function damaged(random: SeededRandom, data: Uint8Array): Uint8Array {
  if (data.length === 0) return noise(random);
  const place = random.integer(0, data.length);
  return random.chance(0.5) ? data.with(place, (data[place] as number) ^ (1 << random.integer(0, 8))) : data.slice(0, place);
}
