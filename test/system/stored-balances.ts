// What all accounts hold, read from the database of a validator that has stopped: leaf by leaf of every shard's tree, whoever the account is of. No sum
// of the node's own goes into it.
import assert from 'node:assert/strict';
import type { ChainId } from '../../src/core/primitives/ids.ts';
import { genesisRoot } from '../../src/core/protocol/genesis.ts';
import { decodeAccountLeaf } from '../../src/core/state/account-codec.ts';
import { LEAF_TAG } from '../../src/core/state/leaf.ts';
import { decodeStateChunk } from '../../src/core/state/state-chunk.ts';
import { createStateDatabase } from '../../src/core/state/state-database.ts';
import { readGenesisFile } from '../../src/node/genesis-file.ts';
import { selectCrypto } from '../../src/runtime/native/select-crypto.ts';
import { dataDirectoryAt } from '../../src/storage/data-directory.ts';
import { openLevelStore } from '../../src/storage/level-store.ts';

/** See the file's head. Sum in wei, and how many accounts it is of, over the newest states of these shards. */
export async function storedBalances(
  dataDir: string,
  shards: readonly ChainId[],
): Promise<{ readonly sumWei: bigint; readonly accounts: number }> {
  const { genesisFile, databaseFolder } = dataDirectoryAt(dataDir);
  const { bls } = selectCrypto({ disableNative: false });
  const store = await openLevelStore(databaseFolder, genesisRoot(readGenesisFile(genesisFile, bls)));
  try {
    let sumWei = 0n;
    let accounts = 0;
    for (const shard of shards) {
      const states = createStateDatabase(store, shard);
      for await (const encoded of states.exportVersion(states.committed())) {
        const chunk = decodeStateChunk(encoded);
        assert.ok(chunk.ok);
        const { continues, leaves } = chunk.value;
        for (const { tag, value } of continues ? leaves.slice(1) : leaves) {
          if (tag !== LEAF_TAG.account) continue;
          const account = decodeAccountLeaf(value);
          assert.ok(account !== undefined);
          sumWei += account.balanceWei;
          accounts++;
        }
      }
    }
    return { sumWei, accounts };
  } finally {
    await store.close();
  }
}
