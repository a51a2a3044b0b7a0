// The driver's nodes on a perfect network in virtual time, with their steps timed: for the benchmark.
import { step } from '../../../src/core/consensus/engine.ts';
import { initialState } from '../../../src/core/consensus/state.ts';
import type { Instance } from '../../../src/core/protocol/committee.ts';
import type { DriverCrypto } from './driver-crypto.ts';
import { DriverNode, type NodeWorld } from './driver-node.ts';
import { Chance, VirtualTime } from './driver-world.ts';
import { PARAMETERS } from './values.ts';

/** Time spent in the engine's steps, of all nodes together. */
export interface Lockstep {
  readonly stepMs: number;
  readonly steps: number;
}

/** Runs a committee until it has committed so many blocks. Every node verifies for itself. */
export function runInLockstep(instance: Instance, crypto: DriverCrypto, blocks: number, nowMs: () => number): Lockstep {
  const time = new VirtualTime();
  const nodes: DriverNode[] = [];
  let stepMs = 0;
  let steps = 0;
  const world: NodeWorld = {
    time,
    chance: new Chance(1),
    crypto,
    parameters: PARAMETERS,
    verified: undefined,
    payloadDelayMs: 1,
    engine: { step, initialState },
    closes: () => false,
    send: (from, to, message) => {
      for (const node of nodes)
        if (node !== from && (to === undefined || to === node.name)) time.schedule(1, () => node.deliver(message, from.name));
    },
    fetch: () => undefined,
    timeStep: (run) => {
      const startedAt = nowMs();
      const result = run();
      stepMs += nowMs() - startedAt;
      steps++;
      return result;
    },
    observe: () => undefined,
    observeEffect: () => undefined,
  };
  for (const { validator } of instance.committee.members) nodes.push(new DriverNode(`v${validator}`, validator, instance, world));
  for (const node of nodes) node.start();
  const target = instance.startRecord.height + blocks;
  time.runUntil(Number.MAX_SAFE_INTEGER, () => nodes.every(({ state }) => state.committed.height >= target));
  return { stepMs, steps };
}
