// Faults that need a look of their own: rotten bits, which a node must meet with a clear error and never with a wrong word, and how messages
// travel when nothing is wrong.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { isError } from '../../src/core/primitives/errors.ts';
import { readPreset } from '../../src/node/genesis-file.ts';
import { PLAIN_SHAPE } from '../../src/simulation/chain-shape.ts';
import { SimulatedDisk } from '../../src/simulation/disk.ts';
import type { Fault } from '../../src/simulation/faults.ts';
import { Life } from '../../src/simulation/life.ts';
import { HEAVY_TAIL_MAX, linksUnder, quietConditions } from '../../src/simulation/links.ts';
import { drawQuietLinks, LINK_KINDS } from '../../src/simulation/quiet-links.ts';
import { SeededRandom } from '../../src/simulation/random.ts';
import { quietMoments } from '../../src/simulation/recovery.ts';
import { runSchedule } from '../../src/simulation/schedule.ts';
import { standInCrypto } from '../../src/simulation/stand-in-crypto.ts';
import { VirtualClock } from '../../src/simulation/virtual-clock.ts';
import type { World } from '../../src/simulation/world.ts';
import { prepareHashes } from './hashes.ts';

const key = (place: number): Uint8Array => Uint8Array.of(0x10, place);

describe('rotten bits', () => {
  before(() => prepareHashes());

  it('show as an error when a row is read, until it is written again or the disk is replaced', async () => {
    const clock = new VirtualClock(0);
    const disk = new SimulatedDisk(clock, new SeededRandom(1, 'disk'), 0);
    const { store } = disk.portsOf(new Life());
    const write = (place: number): Promise<void> =>
      clock.drive(store.write([{ type: 'put', key: key(place), value: Uint8Array.of(place) }], { sync: true }));
    for (let place = 0; place < 100; place++) await write(place);
    const backup = disk.backup();
    const rotten = (): number[] => {
      return Array.from({ length: 100 }, (_unused, place) => place).filter((place) => {
        try {
          assert.deepEqual(store.get(key(place)), Uint8Array.of(place));
          return false;
        } catch (error) {
          assert.ok(isError(error, 'storage/corrupt'));
          return true;
        }
      });
    };
    assert.deepEqual(rotten(), []);
    disk.rotRows(0.2);
    const found = rotten();
    assert.ok(found.length >= 5 && found.length <= 40, `${found.length} of 100`);
    await assert.rejects(
      async () => {
        for await (const row of store.iterate({ gte: key(0), lt: key(100), limit: 100 })) assert.equal(row.key.length, 2);
      },
      (error) => isError(error, 'storage/corrupt'),
    );
    await write(found[0] as number);
    assert.deepEqual(rotten(), found.slice(1));
    disk.restore(backup);
    assert.deepEqual(rotten(), []);
  });

  it('stop a node, or are survived, and break no promise; a backup or an empty database mends it', async () => {
    const faults: readonly Fault[] = [
      { fromMs: 1_500, forMs: 1_500, what: { kind: 'bit-rot', node: 0, of: 'rows', share: 0.2, repair: 'empty' } },
      { fromMs: 3_300, forMs: 1_000, what: { kind: 'bit-rot', node: 1, of: 'rows', share: 0.05, repair: { ageMs: 1_500 } } },
      { fromMs: 3_500, forMs: 400, what: { kind: 'crash', node: 1, end: 'killed', trigger: 'at-once' } },
      { fromMs: 5_000, forMs: 300, what: { kind: 'bit-rot', node: 2, of: 'signing-record' } },
    ];
    let found = 0;
    for (const seed of [1, 2, 3]) {
      const crypto = standInCrypto();
      const report = await runSchedule({ seed, nodes: 4, crypto, preset: readPreset('devnet'), faults, dishonest: [] });
      assert.equal(report.violation, undefined, `seed ${seed}: ${JSON.stringify(report.violation)}`);
      assert.equal(report.injected['bit-rot'], 3);
      found += report.rotFound;
    }
    assert.ok(found > 0, 'some node met a rotten row');
  });
});

describe('faults with a long time between them', () => {
  const between = (fromMs: number, forMs = 1_000): Fault => ({
    fromMs,
    forMs,
    what: { kind: 'partition', minority: [0, 1], isSeen: true },
  });

  it('are each over within the bound: a moment is quiet when no other fault is there or begins for so long', () => {
    assert.deepEqual(quietMoments([], 100), []);
    assert.deepEqual(quietMoments([between(0), between(500), between(2_000)], 400), [1_500]);
    assert.deepEqual(quietMoments([between(0), between(500), between(2_000)], 501), []);
    assert.deepEqual(quietMoments([between(0, 5_000), between(1_000), between(9_000)], 4_000), [5_000]);
  });

  /** Of links as quick as this seed draws them. */
  const BOUND_AT_MOST_MS = 80_000;
  const QUICK_LINKS_SEED = 6;
  it('are judged after each: what stands still after the first one is seen, though all goes on after the last', async () => {
    const cut = (world: World, up: boolean): void => {
      for (const one of ['node-0', 'node-1']) for (const other of ['node-2', 'node-3']) world.network.setLink(one, other, up);
    };
    const { violation } = await runSchedule({
      seed: QUICK_LINKS_SEED,
      nodes: 4,
      crypto: standInCrypto(),
      preset: readPreset('devnet'),
      faults: [between(1_000), between(2_000 + BOUND_AT_MOST_MS)],
      faultsUntilMs: 4_000 + BOUND_AT_MOST_MS,
      dishonest: [],
      shape: PLAIN_SHAPE,
      transactionsPerSecond: 1,
      onWorld: (world) => {
        world.clock.schedule(2_050, () => cut(world, false));
        world.clock.schedule(BOUND_AT_MOST_MS, () => cut(world, true));
      },
    });
    assert.equal(violation?.property, 'liveness');
    assert.ok(violation.atMs < BOUND_AT_MOST_MS, `seen after ${violation.atMs} ms`);
  });
});

describe('quiet links', () => {
  it('are of every kind, and no slower than they say', () => {
    const kinds = new Map<string, number>();
    for (let seed = 0; seed < 60; seed++) {
      const { kind, conditions, slowestMs } = drawQuietLinks(new SeededRandom(seed, 'links'), 20);
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
      const links = linksUnder({ ...quietConditions(20), ...conditions }, new SeededRandom(seed, 'ways'));
      for (let count = 0; count < 200; count++) {
        const [arrivalMs] = links.arrivalsMs(`node-${count % 4}`, `node-${(count + 1) % 4}`);
        assert.ok(arrivalMs !== undefined && arrivalMs > 0 && arrivalMs <= slowestMs, `${kind}: ${arrivalMs} of ${slowestMs}`);
      }
    }
    for (const kind of LINK_KINDS) assert.ok((kinds.get(kind) ?? 0) >= 5, JSON.stringify([...kinds]));
  });

  it('with a heavy tail are mostly quick and now and then many times slower', () => {
    const conditions = { ...quietConditions(0), jitterMs: 10, isHeavyTailed: true };
    const links = linksUnder(conditions, new SeededRandom(1, 'tail'));
    const delays = Array.from({ length: 5_000 }, () => links.arrivalsMs('a', 'b')[0] as number).sort((a, b) => a - b);
    assert.ok((delays[2_500] as number) < 10, `median ${delays[2_500]}`);
    assert.ok((delays[4_950] as number) > 100, `p99 ${delays[4_950]}`);
    assert.ok((delays.at(-1) as number) <= 10 * HEAVY_TAIL_MAX);
  });
});
