import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import fc from 'fast-check';
import { initialiseKeccak } from '../../src/core/crypto/keccak.ts';
import { type ConsensusMessage, decodeConsensusMessage, encodeConsensusMessage } from '../../src/runtime/consensus-codec.ts';
import { certify, createSignedChain, giveUp, pointOf, timeoutOf, voteOf } from './signed-chain.ts';

describe('the codec of consensus messages', () => {
  let messages: readonly ConsensusMessage[];

  before(async () => {
    await initialiseKeccak();
    const chain = await createSignedChain();
    const first = await chain.extend(chain.start, { round: 1 });
    const certificate = certify(chain, pointOf(first));
    const timeoutCertificate = giveUp(chain, 2, certificate);
    const second = await chain.extend(first.point, { round: 3, justify: certificate, timeoutCertificate });
    messages = [
      { kind: 'proposal', proposal: first.proposal },
      { kind: 'proposal', proposal: second.proposal },
      { kind: 'vote', vote: voteOf(chain, 0, 'vote', pointOf(first)) },
      { kind: 'commit-vote', vote: voteOf(chain, 1, 'commit-vote', pointOf(first)) },
      { kind: 'timeout', timeout: timeoutOf(chain, 2, 2, certificate) },
      { kind: 'timeout', timeout: timeoutOf(chain, 2, 1, undefined) },
      {
        kind: 'certificates',
        certificates: {
          instanceId: chain.instance.instanceId,
          highestQuorumCertificate: [certificate],
          commitCertificate: [certify(chain, pointOf(first), 'commit-vote')],
          commitQuorumCertificate: [certificate],
          timeoutCertificate: [timeoutCertificate],
          nonce: 7,
        },
      },
    ];
  });

  it('gives back every message', () => {
    for (const message of messages) {
      const decoded = decodeConsensusMessage(encodeConsensusMessage(message));
      assert.ok(decoded.ok, message.kind);
      assert.deepEqual(decoded.value, message);
    }
  });

  it('refuses every cut and every tail of a message', () => {
    for (const message of messages) {
      const bytes = encodeConsensusMessage(message);
      for (const length of [0, 1, 2, 5, Math.floor(bytes.length / 2), bytes.length - 1]) {
        assert.equal(decodeConsensusMessage(bytes.subarray(0, length)).ok, false, `${message.kind} of ${length} bytes`);
      }
      assert.equal(decodeConsensusMessage(Buffer.concat([bytes, Uint8Array.of(0)])).ok, false, message.kind);
    }
  });

  it('refuses unknown kinds by name', () => {
    for (const kind of [0, 6, 77, 255]) {
      const decoded = decodeConsensusMessage(Uint8Array.of(kind, 1, 2, 3));
      assert.ok(!decoded.ok && decoded.reason === 'unknown-kind');
    }
    const nothing = decodeConsensusMessage(new Uint8Array(0));
    assert.ok(!nothing.ok && nothing.reason === 'unknown-kind');
  });

  it('never throws, and takes only bytes that it would write', () => {
    const spoiled = fc
      .record({ which: fc.nat(), at: fc.nat(), to: fc.nat(255), length: fc.option(fc.nat()) })
      .map(({ which, at, to, length }) => {
        const bytes = encodeConsensusMessage(messages[which % messages.length] as ConsensusMessage).slice();
        bytes[at % bytes.length] = to;
        return length === null ? bytes : bytes.subarray(0, length % (bytes.length + 1));
      });
    fc.assert(
      fc.property(fc.oneof(spoiled, fc.uint8Array({ maxLength: 600 })), (bytes) => {
        const decoded = decodeConsensusMessage(bytes);
        if (decoded.ok) assert.deepEqual(Buffer.from(encodeConsensusMessage(decoded.value)), Buffer.from(bytes));
      }),
      { numRuns: 500 },
    );
  });
});
