// Hears everything and says nothing; and one that tells each thing to some only.
import { NOBODY, sayingOnConsensus } from './speech.ts';
import type { Adversary } from './strategy.ts';

const TOLD_SHARE = 0.5;

/** Says nothing. */
export const silent: Adversary = (own) => sayingOnConsensus(own, async () => NOBODY);

/** Tells each thing to about half of its peers. */
export const selective: Adversary = (own, { random, whisper }) =>
  sayingOnConsensus(own, async (topic, data) => {
    for (const peer of own.peers.connected()) if (random.chance(TOLD_SHARE)) whisper(peer, topic, data);
    return NOBODY;
  });
