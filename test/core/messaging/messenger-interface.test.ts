// What the messenger reads and writes, against the encoder of a well-known library.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { encodeErrorResult, encodeFunctionData, parseAbi, toHex } from 'viem';
import {
  decodeSend,
  encodeBounceHook,
  encodeReply,
  encodeSend,
  MALFORMED_SEND_ERROR,
  messengerCharge,
  type SendRequest,
  TOO_MANY_HOPS_ERROR,
  unreachableTargetError,
} from '../../../src/core/messaging/messenger-interface.ts';
import { bytesToPrefixedHex, concatBytes } from '../../../src/core/primitives/bytes.ts';
import { REPLY_RESULT_BYTES_MAX } from '../../../src/core/protocol/gas.ts';
import { MESSAGE_DATA_BYTES_MAX } from '../../../src/core/protocol/limits.ts';

const ABI = parseAbi([
  'function send(address to, uint64 gas, bytes4 replySelector, uint64 replyGas, bytes data) payable returns (bytes32 id)',
  'function onCoppiceBounce(bytes32 id, address to, uint256 value)',
  'function answered(bytes32 id, address from, bytes result)',
  'error MalformedSend()',
  'error TooManyHops()',
  'error UnreachableTarget(address target)',
]);

const bytesOf = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const request: fc.Arbitrary<SendRequest> = fc.record(
  {
    to: bytesOf(20),
    gas: uint64,
    replySelector: bytesOf(4),
    replyGas: uint64,
    data: fc.uint8Array({ maxLength: 100 }),
  },
  { noNullPrototype: true },
);
const sample: SendRequest = {
  to: new Uint8Array(20).fill(7),
  gas: 1n,
  replySelector: new Uint8Array(4),
  replyGas: 0n,
  data: new Uint8Array(5),
};

describe('the call data of the messenger', () => {
  it('is what any ABI encoder makes, and reads back', () => {
    fc.assert(
      fc.property(request, (one) => {
        const [to, selector, data] = [bytesToPrefixedHex(one.to), bytesToPrefixedHex(one.replySelector), bytesToPrefixedHex(one.data)];
        const encoded = encodeSend(one);
        const args = [to, one.gas, selector, one.replyGas, data] as const;
        assert.equal(bytesToPrefixedHex(encoded), encodeFunctionData({ abi: ABI, functionName: 'send', args }));
        assert.deepEqual(decodeSend(encoded), { ok: true, value: one });
      }),
    );
  });

  it('has one encoding: whatever is changed in its padding, offset or length is refused', () => {
    const encoded = encodeSend(sample);
    for (let at = 0; at < encoded.length; at++) {
      const changed = encoded.slice();
      changed[at] = (changed[at] as number) ^ 0x80;
      const read = decodeSend(changed);
      if (read.ok) assert.deepEqual(encodeSend(read.value), changed);
    }
    for (const wrong of [encoded.slice(0, -1), encoded.slice(0, -32), concatBytes(encoded, new Uint8Array(32)), new Uint8Array(0)])
      assert.equal(decodeSend(wrong).ok, false);
  });

  it('carries data up to its maximum and no more', () => {
    assert.ok(decodeSend(encodeSend({ ...sample, data: new Uint8Array(MESSAGE_DATA_BYTES_MAX) })).ok);
    assert.equal(decodeSend(encodeSend({ ...sample, data: new Uint8Array(MESSAGE_DATA_BYTES_MAX + 1) })).ok, false);
  });

  it('costs three inclusions, the data, the gas, and what comes back', () => {
    assert.equal(messengerCharge({ ...sample, gas: 50_000n, replyGas: 0n, data: new Uint8Array(10) }), 6_000 + 160 + 50_000 + 30_000);
    assert.equal(messengerCharge({ ...sample, gas: 50_000n, replyGas: 40_000n }), 6_000 + 80 + 50_000 + 40_000);
  });
});

describe('what the messenger says', () => {
  const id = new Uint8Array(32).fill(9);
  const [to, idHex] = [toHex(sample.to), toHex(id)];

  it('is a reply with the result, cut at its maximum', () => {
    const selector = new Uint8Array([0x12, 0x34, 0x56, 0x78]);
    for (const length of [0, 31, 32, 33, REPLY_RESULT_BYTES_MAX, REPLY_RESULT_BYTES_MAX + 40]) {
      const result = new Uint8Array(length).fill(3);
      const args = [idHex, to, toHex(result.subarray(0, REPLY_RESULT_BYTES_MAX))] as const;
      const expected = encodeFunctionData({ abi: ABI, functionName: 'answered', args });
      assert.equal(toHex(encodeReply(selector, id, sample.to, result)).slice(10), expected.slice(10));
    }
  });

  it('is a call of the bounce hook', () => {
    const args = [idHex, to, 5n] as const;
    assert.equal(toHex(encodeBounceHook(id, sample.to, 5n)), encodeFunctionData({ abi: ABI, functionName: 'onCoppiceBounce', args }));
  });

  it('is an error that is known by name', () => {
    assert.equal(toHex(MALFORMED_SEND_ERROR), encodeErrorResult({ abi: ABI, errorName: 'MalformedSend' }));
    assert.equal(toHex(TOO_MANY_HOPS_ERROR), encodeErrorResult({ abi: ABI, errorName: 'TooManyHops' }));
    assert.equal(toHex(unreachableTargetError(sample.to)), encodeErrorResult({ abi: ABI, errorName: 'UnreachableTarget', args: [to] }));
  });
});
