// The encoding of messages: every message has one, and nothing else decodes.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { HOPS_MAX } from '../../../src/core/protocol/gas.ts';
import type { Message } from '../../../src/core/protocol/message.ts';
import { decodeMessage, EncodedMessage, encodeMessage, originOfEncoded } from '../../../src/core/protocol/message-codec.ts';
import { familyOf, messageTo } from '../messaging/messages.ts';

const bytesOf = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length });
const optional = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined });
const amounts = fc.bigInt({ min: 0n, max: 2n ** 256n - 1n });
const gas = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const address = bytesOf(20);

const entries = fc.record({ address, storageKeys: fc.array(bytesOf(32), { maxLength: 4 }) }, { noNullPrototype: true });

const messages: fc.Arbitrary<Message> = fc.record(
  {
    kind: fc.constantFrom('main-call', 'value-send', 'credit', 'bounce', 'pointer', 'sweep') as fc.Arbitrary<Message['kind']>,
    id: bytesOf(32),
    originTransactionHash: bytesOf(32),
    emitterId: bytesOf(32),
    sender: address,
    senderFamily: address,
    originAddress: address,
    originFamily: address,
    target: optional(address),
    targetFamily: address,
    valueWei: amounts,
    data: fc.uint8Array({ maxLength: 300 }),
    gasLimit: gas,
    reservedGas: gas,
    gasPriceWei: amounts,
    baseFeePerGasWei: amounts,
    travellingTipWei: amounts,
    creationNonce: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    accessList: fc.array(entries, { maxLength: 4 }),
    hop: fc.integer({ min: 0, max: HOPS_MAX }),
    pointerFamily: optional(address),
    replySelector: bytesOf(4),
  },
  { noNullPrototype: true },
);

const message = messageTo(familyOf(1), 1);
const altered = (change: Partial<ReturnType<typeof EncodedMessage.deserialize>>): string => {
  const verdict = decodeMessage(EncodedMessage.serialize({ ...EncodedMessage.deserialize(encodeMessage(message)), ...change }));
  return verdict.ok ? 'accepted' : verdict.reason;
};

describe('the encoding of a message', () => {
  it('gives back all of it', () => {
    fc.assert(
      fc.property(messages, (sent) => {
        const decoded = decodeMessage(encodeMessage(sent));
        assert.ok(decoded.ok);
        assert.deepEqual(decoded.value, sent);
        assert.deepEqual(originOfEncoded(encodeMessage(sent)), sent.originTransactionHash);
      }),
    );
  });

  it('keeps numbers for calls of the messenger and their replies', () => {
    const kinds = [...Array(10).keys()].map((kind) => altered({ kind }));
    assert.deepEqual(kinds, ['unknown-kind', ...Array(8).fill('accepted'), 'unknown-kind']);
  });

  it('ends with its last byte, and at the last hop', () => {
    const encoded = encodeMessage(message);
    assert.equal(decodeMessage(encoded.subarray(0, -1)).ok, false);
    assert.equal(decodeMessage(new Uint8Array([...encoded, 0])).ok, false);
    assert.deepEqual([altered({ hop: HOPS_MAX }), altered({ hop: HOPS_MAX + 1 })], ['accepted', 'too-many-hops']);
  });
});
