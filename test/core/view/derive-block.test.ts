// View blocks against Ethereum's own libraries on random blocks: header hash, transactions root, receipts root, bloom.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { createBlockHeader } from '@ethereumjs/block';
import { Common, Hardfork, Mainnet } from '@ethereumjs/common';
import { createMPT } from '@ethereumjs/mpt';
import { RLP } from '@ethereumjs/rlp';
import { Bloom, encodeReceipt as encodeReceiptOfLibrary } from '@ethereumjs/vm';
import fc from 'fast-check';
import { initialiseKeccak } from '../../../src/core/crypto/keccak.ts';
import { isInBloom } from '../../../src/core/execution/logs-bloom.ts';
import { bytesToHex } from '../../../src/core/primitives/bytes.ts';
import { bloomOfLogs } from '../../../src/core/view/bloom.ts';
import { deriveViewBlock } from '../../../src/core/view/derive-block.ts';
import { orderedListRoot } from '../../../src/core/view/merkle-patricia.ts';
import { encodeReceipt, typeOf } from '../../../src/core/view/receipt.ts';
import type { ViewBlock, ViewReceipt, ViewTransaction } from '../../../src/core/view/view-block.ts';
import { anchor, execution, shown } from './executed-fixture.ts';

const parameters = { transactionGasLimitMax: 8_000_000 };
const NOTHING: readonly [] = [];
const common = new Common({ chain: Mainnet, hardfork: Hardfork.Cancun });

async function rootOfLibrary(values: readonly Uint8Array[]): Promise<Uint8Array> {
  const trie = await createMPT();
  for (const [index, value] of values.entries()) await trie.put(RLP.encode(index), value);
  return trie.root();
}

describe('a view block', () => {
  before(initialiseKeccak);

  it("has the header hash that Ethereum's library computes from the same fields", () => {
    fc.assert(
      fc.property(anchor, execution(6), (place, executed) => {
        const { header, hash } = deriveViewBlock(place, undefined, [shown(executed)], parameters);
        const theirs = createBlockHeader(
          {
            parentHash: header.parentHash,
            coinbase: `0x${'00'.repeat(17)}c00000`,
            stateRoot: header.stateRoot,
            transactionsTrie: header.transactionsRoot,
            receiptTrie: header.receiptsRoot,
            logsBloom: header.logsBloom,
            number: header.number,
            gasLimit: header.gasLimit,
            gasUsed: header.gasUsed,
            timestamp: header.timestamp,
            mixHash: header.prevRandao,
            baseFeePerGas: header.baseFeePerGasWei,
            blobGasUsed: 0n,
            excessBlobGas: 0n,
            parentBeaconBlockRoot: header.parentBeaconBlockRoot,
          },
          { common, freeze: false, skipConsensusFormatValidation: true },
        );
        assert.equal(bytesToHex(hash), bytesToHex(theirs.hash()));
      }),
      { numRuns: 60 },
    );
  });

  it("has the transactions and receipts roots and the bloom of Ethereum's libraries", async () => {
    await fc.assert(
      fc.asyncProperty(anchor, execution(30), async (place, executed) => {
        const block = deriveViewBlock(place, undefined, [shown(executed)], parameters);
        const { header, transactions, receipts } = block;
        assert.deepEqual(header.transactionsRoot, await rootOfLibrary(transactions.map((view) => view.transaction.raw)));
        const encoded = receipts.map((receipt, index) => {
          const type = typeOf(transactions[index] as ViewTransaction);
          const bytes = encodeReceipt(type, receipt, bloomOfLogs(receipt.logs));
          if (type <= 2) assert.deepEqual(bytes, libraryReceipt(type, receipt));
          return bytes;
        });
        assert.deepEqual(header.receiptsRoot, await rootOfLibrary(encoded));
        const bloom = new Bloom();
        for (const log of receipts.flatMap((receipt) => receipt.logs)) {
          bloom.add(log.address);
          for (const topic of log.topics) bloom.add(topic);
          assert.ok(isInBloom(header.logsBloom, log.address));
        }
        assert.deepEqual(header.logsBloom, bloom.bitvector);
      }),
      { numRuns: 40 },
    );
  });

  it('numbers gas and logs over the whole block, and shows each transaction once, where its main call ran', () => {
    fc.assert(
      fc.property(anchor, execution(12), (place, executed) => {
        const block = deriveViewBlock(place, undefined, [shown(executed)], parameters);
        const { messages, senderParts } = executed;
        const visible = messages.filter((one) => one.outcome !== 'forwarded' && one.message.kind !== 'pointer');
        assert.equal(block.transactions.length, visible.length);
        assert.equal(block.transactions.filter((view) => view.kind === 'account').length, senderParts.length);
        assert.equal(new Set(block.transactions.map((view) => view.transaction.hashHex)).size, visible.length);
        let gas = 0;
        let logs = 0;
        block.receipts.forEach((receipt, index) => {
          const view = block.transactions[index] as ViewTransaction;
          gas += view.kind === 'account' ? view.transaction.gasLimit : 0;
          assert.equal(receipt.cumulativeGasUsed, gas);
          assert.equal(receipt.firstLogIndex, logs);
          logs += receipt.logs.length;
        });
        assert.equal(block.header.gasUsed, gas);
        assert.equal(block.header.gasLimit, Math.max(8_000_000, gas));
        for (const message of block.messages) {
          if (message.transactionIndex === undefined) continue;
          const view = block.transactions[message.transactionIndex] as ViewTransaction;
          if (view.kind === 'system') assert.deepEqual(view.transaction.sourceHash, message.id);
          else assert.deepEqual(view.transaction.hash, message.originTransactionHash);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('follows its parent, and its time does not go back', () => {
    fc.assert(
      fc.property(anchor, anchor, (first, second) => {
        const parent = deriveViewBlock(first, undefined, NOTHING, parameters);
        const child: ViewBlock = deriveViewBlock(second, parent, NOTHING, parameters);
        assert.deepEqual(child.header.parentHash, parent.hash);
        assert.ok(child.header.timestamp >= parent.header.timestamp);
        assert.equal(child.header.timestamp, Math.max(parent.header.timestamp, Math.floor(second.timestampMs / 1000)));
      }),
      { numRuns: 30 },
    );
  });
});

describe('the root of an ordered list', () => {
  it('is that of a Merkle-Patricia trie, for short and long values and every width of key', async () => {
    for (const count of [0, 1, 2, 17, 127, 128, 129, 257]) {
      for (const length of count < 3 ? [1, 29, 56, 300, 9000] : [29, 56, 300]) {
        const values = Array.from({ length: count }, (_none, index) => new Uint8Array(length).fill((index % 250) + 1));
        assert.deepEqual(orderedListRoot(values), await rootOfLibrary(values), `${count} values of ${length} bytes`);
      }
    }
  });
});

function libraryReceipt(type: number, receipt: ViewReceipt): Uint8Array {
  return encodeReceiptOfLibrary(
    {
      status: receipt.succeeded ? 1 : 0,
      cumulativeBlockGasUsed: BigInt(receipt.cumulativeGasUsed),
      bitvector: bloomOfLogs(receipt.logs),
      logs: receipt.logs.map((log) => [log.address, [...log.topics], log.data]),
    },
    type as never,
  );
}
