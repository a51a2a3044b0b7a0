import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SignatureSet } from '../../src/core/consensus/signature-sets.ts';
import { CoppiceError } from '../../src/core/primitives/errors.ts';
import type { SignatureVerifier } from '../../src/runtime/signature-verifier.ts';
import { VerifiedClaims } from '../../src/runtime/verified-claims.ts';

function claim(message: number, signature = 1): SignatureSet {
  const bytes = (length: number, value: number): Uint8Array => new Uint8Array(length).fill(value & 0xff, 0, 1).fill(value >>> 8, 1, 2);
  return { kind: 'single', publicKey: bytes(48, 1), message: bytes(32, message), signature: bytes(96, signature) };
}

/** A verifier that answers as it is told, and counts what it is asked. */
function verifierThat(verify: (sets: readonly SignatureSet[]) => Promise<boolean>): {
  readonly claims: VerifiedClaims;
  readonly asked: number[];
} {
  const asked: number[] = [];
  const verifier: SignatureVerifier = {
    verify: (sets) => {
      asked.push(sets.length);
      return verify(sets);
    },
    recoverSenders: async () => [],
    close: async () => undefined,
  };
  return { claims: new VerifiedClaims(verifier), asked };
}

describe('claims of signatures', () => {
  it('are verified once while they are remembered', async () => {
    const { claims, asked } = verifierThat(async () => true);
    assert.equal(await claims.judge([claim(1), claim(2)], 1), 'valid');
    assert.equal(await claims.judge([claim(2)], 1), 'valid');
    assert.equal(await claims.judge([claim(1), claim(3)], 1), 'valid');
    assert.deepEqual(asked, [2, 1]);
  });

  it('are not remembered when they are invalid, and another signature is another claim', async () => {
    const { claims, asked } = verifierThat(async (sets) => sets.every(({ signature }) => signature[0] === 1));
    assert.equal(await claims.judge([claim(1, 2)], 1), 'invalid');
    assert.equal(await claims.judge([claim(1, 2)], 1), 'invalid');
    assert.equal(await claims.judge([claim(1)], 1), 'valid');
    assert.equal(await claims.judge([claim(1, 2)], 1), 'invalid');
    assert.deepEqual(asked, [1, 1, 1, 1]);
  });

  it('are nobody’s fault when the node is too busy to look', async () => {
    const { claims } = verifierThat(async () => {
      throw new CoppiceError('signature-verifier/overloaded', { waiting: 2, waitingMax: 1 });
    });
    assert.equal(await claims.judge([claim(1)], 1), 'not-looked-at');
  });

  it('do not hide any other failure', async () => {
    const { claims } = verifierThat(async () => {
      throw new Error('broken');
    });
    await assert.rejects(claims.judge([claim(1)], 1), /broken/);
  });

  it('are forgotten, oldest first, above a bound', async () => {
    const { claims, asked } = verifierThat(async () => true);
    for (let message = 0; message < 4_200; message++) await claims.judge([claim(message)], 1);
    await claims.judge([claim(4_199)], 1);
    assert.equal(asked.length, 4_200, 'the newest is remembered');
    await claims.judge([claim(0)], 1);
    assert.equal(asked.length, 4_201, 'the oldest is not');
  });

  it('of one chain are known to the others, and a flood of one makes none of theirs forgotten', async () => {
    const { claims, asked } = verifierThat(async () => true);
    await claims.judge([claim(0)], 1);
    for (let message = 1; message < 4_200; message++) await claims.judge([claim(message)], 2);
    assert.equal(await claims.judge([claim(0)], 'crosslinks'), 'valid');
    assert.equal(asked.length, 4_200);
  });
});
