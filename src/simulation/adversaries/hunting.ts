// Attacks the next leader of one chain or another as soon as it is known: sees what every honest validator knows, works out who leads the round that they are in or the
// next, and silences that validator's links, one way or both, or makes them slow. It has the network for half of the time at most, and
// not at all once the schedule's faults are over; its own node is honest but for that it says nothing while it leads.
import { highestPoint } from '../../core/consensus/block-tree.ts';
import { leaderOf } from '../../core/consensus/leader.ts';
import type { ConsensusState } from '../../core/consensus/state.ts';
import { bytesEqual } from '../../core/primitives/bytes.ts';
import type { PeerName } from '../../network/ports.ts';
import { direction, type LinkConditions } from '../links.ts';
import { readableOf } from '../messages.ts';
import { frameOf, sayingOnConsensus } from './speech.ts';
import type { Adversary, StrategyTools } from './strategy.ts';

const LOOK_MS = 25;
const ATTACK_MS_MIN = 100;
const ATTACK_MS_MAX = 450;
const SLOWER_MS = 400;

/** See the file's head. */
export const hunting: Adversary = (own, tools) => {
  let isHunting = false;
  return sayingOnConsensus(own, (topic, data) => {
    if (!isHunting) hunt(tools);
    isHunting = true;
    return own.pubSub.publish(topic, frameOf(readableOf(data).filter(({ kind }) => kind !== 'proposal')));
  });
};

function hunt(tools: StrategyTools): void {
  const { random, schedule, wire } = tools;
  if (!wire.isOpen()) return;
  const links = wire.links();
  const leader = leaderToCome(statesOfOneChain(tools), random.chance(0.5) ? 0 : 1);
  const target = leader === undefined ? undefined : wire.names()[leader];
  if (links === undefined || target === undefined) return schedule(LOOK_MS, () => hunt(tools));
  const release = attack(links, waysOf(target, wire.names(), random.pick(['out', 'in', 'both'] as const)), random.chance(0.5));
  const forMs = random.between(ATTACK_MS_MIN, ATTACK_MS_MAX);
  schedule(forMs, () => {
    release();
    schedule(forMs, () => hunt(tools));
  });
}

function statesOfOneChain({ random, wire }: StrategyTools): readonly ConsensusState[] {
  const states = wire.honestStates();
  if (states.length === 0) return [];
  const { instanceId } = random.pick(states).instance;
  return states.filter(({ instance }) => bytesEqual(instance.instanceId, instanceId));
}

/** Who leads the newest round that an honest validator is in, or one `ahead` of it, on the block that it would build on. */
function leaderToCome(states: readonly ConsensusState[], ahead: number): number | undefined {
  const newest = states.reduce<ConsensusState | undefined>((best, state) => (state.round > (best?.round ?? 0) ? state : best), undefined);
  const parent = newest === undefined ? undefined : highestPoint(newest);
  return newest === undefined || parent === undefined ? undefined : leaderOf(newest.instance, parent, newest.round + ahead);
}

function waysOf(target: PeerName, names: readonly PeerName[], way: 'out' | 'in' | 'both'): readonly string[] {
  const others = names.filter((name) => name !== target);
  const out = others.map((other) => direction(target, other));
  const into = others.map((other) => direction(other, target));
  return way === 'out' ? out : way === 'in' ? into : [...out, ...into];
}

// Begins, and gives what ends it.
function attack({ silenced, slower }: LinkConditions, ways: readonly string[], isCut: boolean): () => void {
  for (const way of ways) {
    if (isCut) silenced.add(way);
    else slower.set(way, SLOWER_MS);
  }
  return () => {
    for (const way of ways) {
      if (isCut) silenced.delete(way);
      else slower.delete(way);
    }
  };
}
