// The blocks of a validator that has stopped, read from its data directory: what was in them, when they were made, and which beacon block made
// the shards' headers final.

import { keccak256 } from '../../src/core/crypto/keccak.ts';
import { decodeInboxItem } from '../../src/core/messaging/inbox-item.ts';
import { messageIdOf } from '../../src/core/messaging/message-id.ts';
import { bytesToHex, uint64At } from '../../src/core/primitives/bytes.ts';
import type { ChainId, Hex } from '../../src/core/primitives/ids.ts';
import { Block } from '../../src/core/protocol/certified-block.ts';
import { Crosslink } from '../../src/core/protocol/crosslink.ts';
import { genesisRoot } from '../../src/core/protocol/genesis.ts';
import { decodeMessage } from '../../src/core/protocol/message-codec.ts';
import { storedValue } from '../../src/core/protocol/ssz.ts';
import { readGenesisFile } from '../../src/node/genesis-file.ts';
import { selectCrypto } from '../../src/runtime/native/select-crypto.ts';
import { BLOCK_RANGE_MAX, createBlockStore } from '../../src/storage/block-store.ts';
import { dataDirectoryAt } from '../../src/storage/data-directory.ts';
import type { KeyValueStore } from '../../src/storage/key-value-store.ts';
import { openLevelStore } from '../../src/storage/level-store.ts';
import { ROW_FAMILY } from '../../src/storage/schema.ts';
import type { BlockTimes, ShardPlace } from './steps.ts';

/** A committed block, and the chain that it is of. */
export interface CommittedBlock {
  readonly chain: ChainId;
  readonly block: Block;
}

const CHAIN_AT = 1;
const INSTANCE_AT = CHAIN_AT + 8;

/** Hands out every committed block of the data directory, instance by instance. Nobody may run on it. */
export async function readBlocks(dataDir: string, onBlock: (committed: CommittedBlock) => void): Promise<void> {
  const { genesisFile, databaseFolder } = dataDirectoryAt(dataDir);
  const { bls } = selectCrypto({ disableNative: false });
  const store = await openLevelStore(databaseFolder, genesisRoot(readGenesisFile(genesisFile, bls)));
  try {
    const blocks = createBlockStore(store);
    for (const { chain, instanceId } of await instancesOf(store)) {
      for (let height = 0; ; ) {
        const some = await blocks.readRange({ chain, instanceId, height }, BLOCK_RANGE_MAX);
        for (const { block } of some) onBlock({ chain, block: storedValue(Block, block) });
        const last = some.at(-1);
        if (last === undefined) break;
        height = last.place.height + 1;
      }
    }
  } finally {
    await store.close();
  }
}

/** When and where what happened, from all blocks. */
export async function readBlockTimes(dataDir: string): Promise<BlockTimes> {
  const sentIn = new Map<Hex, ShardPlace>();
  const takenById = new Map<Hex, ShardPlace>();
  const madeAtMs = new Map<string, number>();
  const crosslinkedAtMs = new Map<string, number>();
  await readBlocks(dataDir, ({ chain, block: { header, body } }) => {
    const place = { shard: chain, height: header.height };
    if (chain !== 0) madeAtMs.set(nameOf(place), header.timestampMs);
    for (const raw of body.transactions) sentIn.set(bytesToHex(keccak256(raw)), place);
    for (const bytes of body.inbox) {
      const item = decodeInboxItem(bytes);
      const message = item.ok ? decodeMessage(item.value.message) : item;
      if (message.ok) takenById.set(bytesToHex(message.value.id), place);
    }
    for (const encoded of body.crosslinks) {
      const { shard, headers } = storedValue(Crosslink, encoded);
      for (const { height } of headers) crosslinkedAtMs.set(nameOf({ shard, height }), header.timestampMs);
    }
  });
  return {
    sentIn: (hash) => sentIn.get(bare(hash)),
    takenIn: (hash) => takenById.get(bytesToHex(messageIdOf(Buffer.from(bare(hash), 'hex'), 0))),
    timestampMs: (place) => madeAtMs.get(nameOf(place)),
    crosslinkedAtMs: (place) => crosslinkedAtMs.get(nameOf(place)),
  };
}

// Each instance has one row that says how far it is.
async function instancesOf(store: KeyValueStore): Promise<{ readonly chain: ChainId; readonly instanceId: Uint8Array }[]> {
  const range = {
    gte: Uint8Array.of(ROW_FAMILY.instanceHead),
    lt: Uint8Array.of(ROW_FAMILY.instanceHead + 1),
    limit: Number.MAX_SAFE_INTEGER,
  };
  const instances = [];
  for await (const { key } of store.iterate(range)) instances.push({ chain: uint64At(key, CHAIN_AT), instanceId: key.slice(INSTANCE_AT) });
  return instances;
}

function nameOf({ shard, height }: ShardPlace): string {
  return `${shard} ${height}`;
}

function bare(hash: Hex): string {
  return hash.startsWith('0x') ? hash.slice(2) : hash;
}
