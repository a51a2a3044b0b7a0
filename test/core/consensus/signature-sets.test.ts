import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BitArray } from '@chainsafe/ssz';
import { certificateOf, timeoutCertificateOf } from '../../../src/core/consensus/certificates.ts';
import {
  areValid,
  bundleClaims,
  certificateClaims,
  commitProofClaims,
  type MessageRefusal,
  proposalClaims,
  proposalMessage,
  type SignatureClaims,
  timeoutCertificateClaims,
  timeoutClaims,
  timeoutMessage,
  type VoteKind,
  voteClaims,
  voteMessage,
} from '../../../src/core/consensus/signature-sets.ts';
import { sha256 } from '../../../src/core/crypto/sha256.ts';
import { blockHashOf } from '../../../src/core/protocol/block.ts';
import type { BlockPoint, QuorumCertificate, TimeoutCertificate } from '../../../src/core/protocol/certificate.ts';
import type { Instance } from '../../../src/core/protocol/committee.ts';
import type { CertificateBundle, Timeout, Vote } from '../../../src/core/protocol/vote.ts';
import { committeeOf, standInCrypto } from './driver-crypto.ts';
import { blockOn, instanceOf, startedEngine } from './values.ts';

const crypto = standInCrypto();
// Seats 3, 1, 1, 1, 1: the first with two others is a quorum of 7, four without it are not.
const seats = new Map([
  [1, 3],
  [2, 1],
  [5, 1],
  [6, 1],
  [9, 1],
]);
const validators = [...seats.keys()];
const instance = instanceOf(committeeOf(crypto, seats), 1, 0);
const other = instanceOf(committeeOf(crypto, seats), 2, 0);
const point: BlockPoint = { height: 4, round: 7, blockHash: sha256(Uint8Array.of(1)) };

const sign = (validator: number, message: Uint8Array): Uint8Array => crypto.bls.sign(crypto.blsSecretKeyOf(validator), message);

function aggregate(places: readonly number[], message: (validator: number) => Uint8Array): Uint8Array {
  return crypto.bls.aggregate(places.map((place) => sign(validators[place] as number, message(validators[place] as number)))) as Uint8Array;
}

function certificate(
  kind: VoteKind = 'vote',
  at: BlockPoint = point,
  places: readonly number[] = [0, 1, 2],
  of: Instance = instance,
): QuorumCertificate {
  return certificateOf(
    of.committee,
    at,
    places,
    aggregate(places, () => voteMessage(of, kind, at)),
  );
}

function vote(kind: VoteKind, changes: Partial<Vote> = {}): Vote {
  return { instanceId: instance.instanceId, point, validator: 5, signature: sign(5, voteMessage(instance, kind, point)), ...changes };
}

function timeout(validator: number, round: number, highest?: QuorumCertificate): Timeout {
  return {
    instanceId: instance.instanceId,
    round,
    highestQuorumCertificate: highest === undefined ? [] : [highest],
    validator,
    signature: sign(validator, timeoutMessage(instance, round, highest?.point.round ?? 0)),
  };
}

function timeoutCertificate(round = 9): TimeoutCertificate {
  const timeouts = [timeout(1, round, certificate()), timeout(2, round), timeout(6, round, certificate('vote', { ...point, round: 3 }))];
  return timeoutCertificateOf(instance.committee, timeouts, crypto.bls.aggregate(timeouts.map(({ signature }) => signature)) as Uint8Array);
}

function holds(claims: SignatureClaims): void {
  assert.ok(claims.ok, claims.ok ? '' : claims.reason);
  assert.ok(areValid(crypto.bls, claims.value));
}

function isForged(claims: SignatureClaims): void {
  assert.ok(claims.ok && !areValid(crypto.bls, claims.value));
}

function isRefused(claims: SignatureClaims, reason: MessageRefusal): void {
  assert.ok(!claims.ok && claims.reason === reason, claims.ok ? 'accepted' : claims.reason);
}

describe('what is signed', () => {
  it('differs by kind of object and by instance', () => {
    const messages = [
      voteMessage(instance, 'vote', point),
      voteMessage(instance, 'commit-vote', point),
      proposalMessage(instance, point.blockHash),
      timeoutMessage(instance, 7, 4),
      timeoutMessage(instance, 7, 5),
      voteMessage(other, 'vote', point),
      proposalMessage(other, point.blockHash),
    ].map((message) => Buffer.from(message).toString('hex'));
    assert.equal(new Set(messages).size, messages.length);
  });
});

describe('a vote', () => {
  it('holds in its own kind and instance only', () => {
    holds(voteClaims(instance, 'vote', vote('vote')));
    holds(voteClaims(instance, 'commit-vote', vote('commit-vote')));
    isForged(voteClaims(instance, 'commit-vote', vote('vote')));
    isForged(voteClaims(instance, 'vote', vote('vote', { validator: 6 })));
    isForged(voteClaims(instance, 'vote', vote('vote', { point: { ...point, height: 5 } })));
    isRefused(voteClaims(other, 'vote', vote('vote')), 'wrong-instance');
    isForged(voteClaims(other, 'vote', vote('vote', { instanceId: other.instanceId })));
  });

  it('of a stranger or of round 0 is refused', () => {
    isRefused(voteClaims(instance, 'vote', vote('vote', { validator: 3 })), 'not-a-member');
    isRefused(voteClaims(instance, 'vote', vote('vote', { point: { ...point, round: 0 } })), 'wrong-round');
  });
});

describe('a certificate', () => {
  it('holds with more than two thirds of the seats, whoever many members that are', () => {
    holds(certificateClaims(instance, 'vote', certificate()));
    holds(certificateClaims(instance, 'commit-vote', certificate('commit-vote')));
    isRefused(certificateClaims(instance, 'vote', certificate('vote', point, [1, 2, 3, 4])), 'no-quorum');
    isRefused(certificateClaims(instance, 'vote', certificate('vote', point, [0, 1])), 'no-quorum');
  });

  it('of the other kind, another instance or with a bit too many is forged', () => {
    isForged(certificateClaims(instance, 'commit-vote', certificate('vote')));
    isForged(certificateClaims(other, 'vote', certificate('vote')));
    const { signature } = certificate();
    isForged(certificateClaims(instance, 'vote', certificateOf(instance.committee, point, [0, 1, 2, 3], signature)));
  });

  it('with a bitmap of another length, an unknown scheme or of round 0 is refused', () => {
    isRefused(
      certificateClaims(instance, 'vote', { ...certificate(), signers: BitArray.fromBoolArray([true, true, true, true]) }),
      'wrong-bitmap',
    );
    isRefused(certificateClaims(instance, 'vote', { ...certificate(), scheme: 2 }), 'unknown-scheme');
    isRefused(certificateClaims(instance, 'vote', certificate('vote', { ...point, round: 0 })), 'wrong-round');
  });

  it('of commit votes holds only with the QC of the same block', () => {
    holds(commitProofClaims(instance, certificate('vote'), certificate('commit-vote')));
    isRefused(
      commitProofClaims(instance, certificate('vote', { ...point, round: 8 }), certificate('commit-vote')),
      'certificate-without-pair',
    );
    isForged(commitProofClaims(instance, certificate('commit-vote'), certificate('commit-vote')));
  });
});

describe('a timeout', () => {
  it('holds with the QC that it claims', () => {
    holds(timeoutClaims(instance, timeout(2, 9)));
    holds(timeoutClaims(instance, timeout(2, 9, certificate())));
  });

  it('without that QC, with a lower one or with a forged one does not', () => {
    isForged(timeoutClaims(instance, { ...timeout(2, 9, certificate()), highestQuorumCertificate: [] }));
    isForged(
      timeoutClaims(instance, { ...timeout(2, 9, certificate()), highestQuorumCertificate: [certificate('vote', { ...point, round: 6 })] }),
    );
    isForged(timeoutClaims(instance, timeout(2, 9, certificate('commit-vote'))));
  });

  it('of a round not above its QC, of a stranger, or of another instance is refused', () => {
    isRefused(timeoutClaims(instance, timeout(2, 7, certificate())), 'wrong-round');
    isRefused(timeoutClaims(instance, timeout(2, 0)), 'wrong-round');
    isRefused(timeoutClaims(instance, { ...timeout(2, 9), validator: 4 }), 'not-a-member');
    isRefused(timeoutClaims(other, timeout(2, 9)), 'wrong-instance');
  });
});

describe('a timeout certificate', () => {
  it('holds with the round that each signer reports and the highest of those QCs', () => {
    const made = timeoutCertificate();
    assert.deepEqual(made.highestQuorumCertificateRounds, [7, 0, 3]);
    holds(timeoutCertificateClaims(instance, made));
  });

  it('that reports a QC and does not show it is refused: it would stall the chain for ever', () => {
    isRefused(timeoutCertificateClaims(instance, { ...timeoutCertificate(), highestQuorumCertificate: [] }), 'wrong-highest-certificate');
    const lower = certificate('vote', { ...point, round: 3 });
    isRefused(
      timeoutCertificateClaims(instance, { ...timeoutCertificate(), highestQuorumCertificate: [lower] }),
      'wrong-highest-certificate',
    );
    const higher = certificate('vote', { ...point, round: 8 });
    isRefused(
      timeoutCertificateClaims(instance, { ...timeoutCertificate(), highestQuorumCertificate: [higher] }),
      'wrong-highest-certificate',
    );
  });

  it('with a list of rounds that does not fit its signers, or altered rounds, is refused or forged', () => {
    isRefused(timeoutCertificateClaims(instance, { ...timeoutCertificate(), highestQuorumCertificateRounds: [7, 0] }), 'wrong-rounds-list');
    isForged(timeoutCertificateClaims(instance, { ...timeoutCertificate(), highestQuorumCertificateRounds: [7, 3, 0] }));
    isRefused(timeoutCertificateClaims(instance, { ...timeoutCertificate(), round: 7 }), 'wrong-round');
    isForged(timeoutCertificateClaims(instance, { ...timeoutCertificate(), round: 10 }));
    isForged(timeoutCertificateClaims(instance, { ...timeoutCertificate(), highestQuorumCertificate: [certificate('commit-vote')] }));
  });

  it('without a quorum is refused', () => {
    const timeouts = [timeout(1, 9), timeout(2, 9)];
    isRefused(
      timeoutCertificateClaims(instance, timeoutCertificateOf(instance.committee, timeouts, timeouts[0]?.signature as Uint8Array)),
      'no-quorum',
    );
  });
});

describe('a proposal', () => {
  const state = startedEngine(1, { instance });
  const claims = (block: ReturnType<typeof blockOn>, signer = block.header.proposer): SignatureClaims => {
    const hash = blockHashOf(block.header);
    return proposalClaims(instance, block.header, hash, sign(signer, proposalMessage(instance, hash)));
  };

  it('holds with its proposer’s signature and its certificates', () => {
    holds(claims(blockOn(state, 1, undefined, undefined, { proposer: 2 })));
    holds(claims(blockOn(state, 8, certificate(), undefined, { proposer: 2 })));
    holds(claims(blockOn(state, 10, certificate(), timeoutCertificate(), { proposer: 2 })));
  });

  it('verifies a certificate that it carries twice only once', () => {
    const proposal = claims(blockOn(state, 10, certificate(), timeoutCertificate(), { proposer: 2 }));
    assert.deepEqual(proposal.ok && proposal.value.map(({ kind }) => kind), ['single', 'fast-aggregate', 'aggregate']);
  });

  it('signed by another, or with a forged certificate, does not', () => {
    isForged(claims(blockOn(state, 1, undefined, undefined, { proposer: 2 }), 5));
    isForged(claims(blockOn(state, 8, certificate('commit-vote'), undefined, { proposer: 2 })));
    isForged(claims(blockOn(state, 10, certificate(), { ...timeoutCertificate(), signature: new Uint8Array(96) }, { proposer: 2 })));
  });

  it('whose header is wrong on its face is refused', () => {
    const by2 = { proposer: 2 };
    isRefused(claims(blockOn(state, 8, certificate(), undefined, { ...by2, instanceId: other.instanceId })), 'wrong-instance');
    isRefused(claims(blockOn(state, 8, certificate(), undefined, { proposer: 3 })), 'not-a-member');
    isRefused(claims(blockOn(state, 8, certificate(), undefined, { ...by2, parentHash: new Uint8Array(32) })), 'wrong-parent');
    isRefused(claims(blockOn(state, 8, certificate(), undefined, { ...by2, height: 6 })), 'wrong-parent');
    isRefused(claims(blockOn(state, 1, undefined, undefined, { ...by2, parentHash: new Uint8Array(32) })), 'wrong-start');
    isRefused(claims(blockOn(state, 1, undefined, undefined, { ...by2, height: 2 })), 'wrong-start');
  });

  it('that nothing admits to its round is refused', () => {
    const by2 = { proposer: 2 };
    isRefused(claims(blockOn(state, 2, undefined, undefined, by2)), 'not-admitted');
    isRefused(claims(blockOn(state, 9, certificate(), undefined, by2)), 'not-admitted');
    isRefused(claims(blockOn(state, 7, certificate(), undefined, by2)), 'not-admitted');
    isRefused(claims(blockOn(state, 11, certificate(), timeoutCertificate(), by2)), 'not-admitted');
    isRefused(claims(blockOn(state, 10, certificate('vote', { ...point, round: 6 }), timeoutCertificate(), by2)), 'not-admitted');
    isRefused(claims(blockOn(state, 10, undefined, timeoutCertificate(), by2)), 'not-admitted');
    isRefused(claims(blockOn(state, 10, certificate('vote', { ...point, round: 9 }), timeoutCertificate(), by2)), 'not-admitted');
  });
});

describe('a bundle of certificates', () => {
  const bundle: CertificateBundle = {
    instanceId: instance.instanceId,
    highestQuorumCertificate: [certificate()],
    commitCertificate: [certificate('commit-vote')],
    commitQuorumCertificate: [certificate()],
    timeoutCertificate: [timeoutCertificate()],
    nonce: 1,
  };

  it('holds if every certificate in it does', () => {
    holds(bundleClaims(instance, bundle));
    holds(
      bundleClaims(instance, {
        ...bundle,
        commitCertificate: [],
        commitQuorumCertificate: [],
        timeoutCertificate: [],
        highestQuorumCertificate: [],
      }),
    );
    isForged(bundleClaims(instance, { ...bundle, highestQuorumCertificate: [certificate('commit-vote')] }));
    isForged(bundleClaims(instance, { ...bundle, timeoutCertificate: [{ ...timeoutCertificate(), round: 12 }] }));
  });

  it('with a CC that has no QC, or of another instance, is refused', () => {
    isRefused(bundleClaims(instance, { ...bundle, commitQuorumCertificate: [] }), 'certificate-without-pair');
    isRefused(bundleClaims(instance, { ...bundle, commitCertificate: [] }), 'certificate-without-pair');
    isRefused(bundleClaims(other, bundle), 'wrong-instance');
  });
});
