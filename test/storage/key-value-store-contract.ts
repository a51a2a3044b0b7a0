// What every database behind the port must do: run against the one in memory and the one on disk alike.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { bytesToHex, compareBytes, concatBytes, uint64ToBytes } from '../../src/core/primitives/bytes.ts';
import type { Row, RowOperation, RowRange } from '../../src/core/state/state-rows.ts';
import type { KeyValueStore } from '../../src/storage/key-value-store.ts';

const key = fc.uint8Array({ minLength: 1, maxLength: 3 }).map((bytes) => Uint8Array.of(0x40, ...bytes.map((byte) => byte & 0x0f)));
const operation: fc.Arbitrary<RowOperation> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ type: fc.constant('put' as const), key, value: fc.uint8Array({ maxLength: 40 }) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('delete' as const), key }) },
);

/** Keys of history: family, what stands before the height, height, rest; few of each, so that ranges meet them. */
const historyKey = fc
  .record({
    family: fc.constantFrom(0x13, 0x14, 0x16, 0x20, 0x22, 0x30),
    instance: fc.integer({ min: 0, max: 1 }),
    height: fc.constantFrom(0, 1, 2, 3, 255, 256, 2 ** 40),
    rest: fc.uint8Array({ maxLength: 2 }).map((bytes) => bytes.map((byte) => (byte > 127 ? 0xff : byte & 1))),
  })
  .map(({ family, instance, height, rest }) => {
    const before = family === 0x20 || family === 0x22 ? new Uint8Array(40).fill(instance) : new Uint8Array();
    return { section: concatBytes(Uint8Array.of(family), before), height: uint64ToBytes(height), rest };
  });

/** Declares the contract's tests; `open` gives an empty database. */
export function describeKeyValueStore(name: string, open: () => Promise<KeyValueStore>): void {
  describe(name, () => {
    it('holds what the batches wrote, in order, and iterates over ranges both ways', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.array(operation, { maxLength: 12 }), { maxLength: 6 }),
          key,
          key,
          fc.boolean(),
          fc.integer({ min: 1, max: 9 }),
          async (batches, gte, lt, reverse, limit) => {
            const store = await open();
            const model = new Map<string, Row>();
            for (const batch of batches) {
              await store.write(batch, { sync: false });
              for (const entry of batch) {
                if (entry.type === 'put') model.set(bytesToHex(entry.key), entry);
                else model.delete(bytesToHex(entry.key));
              }
            }
            for (const row of model.values()) assert.deepEqual(plain(store.get(row.key)), plain(row.value));
            assert.equal(store.get(Uint8Array.of(0x41)), undefined);
            const inside = [...model.values()].filter((row) => compareBytes(row.key, gte) >= 0 && compareBytes(row.key, lt) < 0);
            inside.sort((a, b) => compareBytes(a.key, b.key));
            if (reverse) inside.reverse();
            const found = await collect(store, { gte, lt, reverse, limit });
            assert.deepEqual(found.map(plainRow), inside.slice(0, limit).map(plainRow));
            await store.close();
          },
        ),
        { numRuns: 25 },
      );
    });

    it('iterates over rows of history in the order of their keys, both ways, whatever lies in between', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(historyKey, { minLength: 1, maxLength: 40 }),
          fc.nat(),
          fc.tuple(historyKey, historyKey),
          fc.constantFrom('within', 'to-end-of-section'),
          fc.boolean(),
          fc.integer({ min: 1, max: 30 }),
          async (parts, choice, [from, to], end, reverse, limit) => {
            const store = await open();
            const keyOf = (each: (typeof parts)[number]): Uint8Array => concatBytes(each.section, each.height, each.rest);
            const keys = new Map(parts.map((each) => [bytesToHex(keyOf(each)), keyOf(each)]));
            await store.write(
              [...keys.values()].map((each) => ({ type: 'put', key: each, value: each })),
              { sync: false },
            );
            for (const each of keys.values()) assert.deepEqual(plain(store.get(each)), [...each]);
            const { section } = parts[choice % parts.length] as (typeof parts)[number];
            const gte = concatBytes(section, from.height, from.rest);
            const lt = end === 'within' ? concatBytes(section, to.height, to.rest) : concatBytes(section, Uint8Array.of(0xff));
            const inside = [...keys.values()].filter((each) => compareBytes(each, gte) >= 0 && compareBytes(each, lt) < 0);
            inside.sort(compareBytes);
            if (reverse) inside.reverse();
            const found = await collect(store, { gte, lt, reverse, limit });
            assert.deepEqual(
              found.map((row) => bytesToHex(row.key)),
              inside.slice(0, limit).map(bytesToHex),
            );
            await store.close();
          },
        ),
        { numRuns: 60 },
      );
    });

    it('shows an iteration the rows as they were when it began', async () => {
      const store = await open();
      const keys = [1, 2, 3].map((last) => Uint8Array.of(0x40, last));
      await store.write(
        keys.map((each) => ({ type: 'put', key: each, value: each })),
        { sync: true },
      );
      const seen: string[] = [];
      for await (const row of store.iterate({ gte: Uint8Array.of(0x40), lt: Uint8Array.of(0x41), limit: 10 })) {
        seen.push(bytesToHex(row.key));
        if (seen.length === 1)
          await store.write(
            keys.map((each) => ({ type: 'delete', key: each })),
            { sync: false },
          );
      }
      assert.equal(seen.length, 3);
      await store.close();
    });

    it('hands out values that the caller may change', async () => {
      const store = await open();
      const at = Uint8Array.of(0x40);
      await store.write([{ type: 'put', key: at, value: Uint8Array.of(7) }], { sync: false });
      store.get(at)?.fill(9);
      assert.deepEqual(store.get(at), Uint8Array.of(7), 'a plain array, too: a part of a Buffer keeps the whole in memory');
      await store.close();
    });
  });
}

async function collect(store: KeyValueStore, range: RowRange): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for await (const row of store.iterate(range)) rows.push(row);
  return rows;
}

function plain(bytes: Uint8Array | undefined): readonly number[] | undefined {
  return bytes === undefined ? undefined : [...bytes];
}

function plainRow(row: Row): readonly [readonly number[], readonly number[]] {
  return [[...row.key], [...row.value]];
}
