// What every database behind the port must do: run against the one in memory and the one on disk alike.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { bytesToHex, compareBytes } from '../../src/core/primitives/bytes.ts';
import type { Row, RowOperation, RowRange } from '../../src/core/state/state-rows.ts';
import type { KeyValueStore } from '../../src/storage/key-value-store.ts';

const key = fc.uint8Array({ minLength: 1, maxLength: 3 }).map((bytes) => Uint8Array.of(0x40, ...bytes.map((byte) => byte & 0x0f)));
const operation: fc.Arbitrary<RowOperation> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ type: fc.constant('put' as const), key, value: fc.uint8Array({ maxLength: 40 }) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('delete' as const), key }) },
);

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
