// Rows of evidence: what was proved against validators, by instance and content. Values are bytes; core/consensus/evidence defines them.
import { concatBytes, uint64ToBytes } from '../core/primitives/bytes.ts';
import type { Bytes32, ChainId } from '../core/primitives/ids.ts';
import type { RowOperation } from '../core/state/state-rows.ts';
import type { KeyValueStore } from './key-value-store.ts';
import { ROW_FAMILY } from './schema.ts';

/** More rows than an instance can have: five kinds for each of 2,048 members. */
const ROWS_MAX = 16_384;
/** Above every id. */
const END_BYTES = 33;

/** Reads and operations on rows of evidence. */
export interface EvidenceStore {
  /** Operations that store a piece of evidence under its id. */
  put(chain: ChainId, instanceId: Bytes32, id: Bytes32, encoded: Uint8Array): readonly RowOperation[];
  /** All that is stored of an instance, in the order of ids. */
  readAll(chain: ChainId, instanceId: Bytes32): Promise<readonly Uint8Array[]>;
}

/** Rows of evidence in `store`. */
export function createEvidenceStore(store: KeyValueStore): EvidenceStore {
  return {
    put: (chain, instanceId, id, encoded) => [{ type: 'put', key: concatBytes(prefixOf(chain, instanceId), id), value: encoded }],
    readAll: async (chain, instanceId) => {
      const gte = prefixOf(chain, instanceId);
      const lt = concatBytes(gte, new Uint8Array(END_BYTES).fill(0xff));
      const found: Uint8Array[] = [];
      for await (const { value } of store.iterate({ gte, lt, limit: ROWS_MAX })) found.push(value);
      return found;
    },
  };
}

function prefixOf(chain: ChainId, instanceId: Bytes32): Uint8Array {
  return concatBytes(Uint8Array.of(ROW_FAMILY.evidence), uint64ToBytes(chain), instanceId);
}
