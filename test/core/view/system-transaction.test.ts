// The format of docs/system-transactions.md: bytes, hash, and that mempools refuse it.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RLP } from '@ethereumjs/rlp';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { bytesToHex } from '../../../src/core/primitives/bytes.ts';
import { parseTransaction } from '../../../src/core/protocol/decode-transaction.ts';
import type { Message } from '../../../src/core/protocol/message.ts';
import { decodeSystemTransaction, systemTransactionOf } from '../../../src/core/view/system-transaction.ts';

const message: Message = {
  kind: 'value-send',
  id: new Uint8Array(32).fill(1),
  originTransactionHash: new Uint8Array(32).fill(2),
  emitterId: new Uint8Array(32).fill(3),
  sender: new Uint8Array(20).fill(4),
  senderFamily: new Uint8Array(20).fill(5),
  originAddress: new Uint8Array(20).fill(6),
  originFamily: new Uint8Array(20).fill(7),
  target: new Uint8Array(20).fill(8),
  targetFamily: new Uint8Array(20).fill(9),
  valueWei: 10n ** 18n,
  data: Uint8Array.of(0xab),
  gasLimit: 30_000,
  reservedGas: 30_000,
  replySelector: new Uint8Array(4),
  gasPriceWei: 1n,
  baseFeePerGasWei: 1n,
  travellingTipWei: 0n,
  creationNonce: 0n,
  accessList: [],
  hop: 0,
  pointerFamily: undefined,
};

describe('a system transaction', () => {
  it('is 0x7e and the RLP of the eight fields of a deposit, named by its Keccak', () => {
    const { raw, hash } = systemTransactionOf(message);
    assert.equal(raw[0], 0x7e);
    const payload = RLP.encode([message.id, message.sender, message.target as Uint8Array, 10n ** 18n, 10n ** 18n, 30_000, 0, message.data]);
    assert.equal(bytesToHex(raw.subarray(1)), bytesToHex(payload));
    assert.equal(bytesToHex(hash), bytesToHex(keccak_256(raw)));
  });

  it('is none when one of its fields is a list, too long, or an integer of more than one encoding', () => {
    const { id, sender, data } = message;
    const fields = [id, sender, message.target as Uint8Array, 1n, 1n, 30_000, 0, data];
    const decoded = (place: number, field: unknown) => {
      const changed = fields.map((before, at) => (at === place ? field : before)) as Parameters<typeof RLP.encode>[0];
      return decodeSystemTransaction(Uint8Array.of(0x7e, ...RLP.encode(changed)));
    };
    assert.equal(decoded(0, id).valueWei, 1n);
    for (const [place, field] of [
      [0, Array(32).fill(1)],
      [2, new Uint8Array(19)],
      [2, [sender]],
      [3, Uint8Array.of(0, 1)],
      [4, new Uint8Array(33).fill(1)],
      [5, new Uint8Array(8).fill(0xff)],
      [6, 1],
      [7, [data]],
    ] as const)
      assert.throws(() => decoded(place, field), /^Error: invariant broken: /, `field ${place}`);
  });

  it('comes back from its bytes, with and without a target', () => {
    for (const target of [message.target, undefined]) {
      const system = systemTransactionOf({ ...message, target });
      assert.deepEqual(decodeSystemTransaction(system.raw), system);
      assert.deepEqual(system.to, target);
      assert.deepEqual(system.sourceHash, message.id);
    }
  });

  it('is refused from users', () => {
    const refused = parseTransaction(systemTransactionOf(message).raw, 1);
    assert.ok(!refused.ok && refused.reason === 'unsupported-type');
  });
});
