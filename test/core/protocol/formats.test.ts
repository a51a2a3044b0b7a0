// The formats of everything that is hashed, signed, sent or stored, pinned: a hash over thousands of generated encodings and roots of
// each container. A change of a format is a decision, and shows here first. And the one decoder for foreign bytes accepts nothing
// but the one encoding.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { Type } from '@chainsafe/ssz';
import { BeaconState, EpochLayout, RecordEntry } from '../../../src/core/beacon/state.ts';
import { SigningRecord } from '../../../src/core/consensus/record.ts';
import { sha256 } from '../../../src/core/crypto/sha256.ts';
import { CarriedBundleIndex } from '../../../src/core/messaging/bundle-index.ts';
import { InboxItem } from '../../../src/core/messaging/inbox-item.ts';
import { bytesEqual, bytesToHex, concatBytes, uint64ToBytes } from '../../../src/core/primitives/bytes.ts';
import { SignedAddressRecord } from '../../../src/core/protocol/address-record.ts';
import { BeaconReference, BlockBody, BlockHeader, Cursor, ExecutionCommitment, Load } from '../../../src/core/protocol/block.ts';
import {
  BlockPoint,
  Certificate,
  type QuorumCertificate,
  TimeoutCertificate,
  TimeoutPoint,
} from '../../../src/core/protocol/certificate.ts';
import { Block, BlockCertificates, CertifiedBlock } from '../../../src/core/protocol/certified-block.ts';
import { StartRecord } from '../../../src/core/protocol/committee.ts';
import { Crosslink } from '../../../src/core/protocol/crosslink.ts';
import { EncodedMessage } from '../../../src/core/protocol/message-codec.ts';
import { BundleIndex, BundleIndexRoots, EMPTY_OUTBOX, OutboxSummary, outboxRootOf } from '../../../src/core/protocol/outbox.ts';
import { decodeCanonical, Uint64 } from '../../../src/core/protocol/ssz.ts';
import { CertificateBundle, Proposal, Timeout, Vote } from '../../../src/core/protocol/vote.ts';
import { PointerProof } from '../../../src/core/shard/pointer-proof.ts';
import { StateChunk } from '../../../src/core/state/state-chunk.ts';
import { installHashtree } from '../../../src/runtime/native/ssz-hashtree.ts';
import { BundleFrame, BundlesRequest } from '../../../src/sync/bundle-protocol.ts';
import { PointersRequest } from '../../../src/sync/pointer-protocol.ts';
import { StateFrame, StateRequest } from '../../../src/sync/state-protocol.ts';
import { drawFrom, generateValue } from './generate-value.ts';

/** Each container with how many values of it are hashed, and what they hash to. */
const FORMATS: readonly (readonly [Type<unknown>, number, string])[] = [
  [BlockPoint as Type<unknown>, 4_000, '4700fc8dce4618ae4d933ce3f3e877ea7a1b2520c387838a5fc228bd442c176b'],
  [TimeoutPoint as Type<unknown>, 4_000, '29fbf83cf2b05dfd6c3350c3077a3e1c7ea5401aab9c19b41899d8756f21d00f'],
  [Certificate as Type<unknown>, 2_000, '5392266dfc1cb2828171a0966cd2aac1f70e10a868c9b226fdae3d4c541f0235'],
  [TimeoutCertificate as Type<unknown>, 2_000, '2cb54c8745c64c089588fea863fdca016fc16cd1f38455f8961a89afd16285e6'],
  [Vote as Type<unknown>, 4_000, '85d01efe11567572e7fead5da97c96244bf9b3a36226f233044470109ef0a75a'],
  [Timeout as Type<unknown>, 2_000, '158f0b15234d0162c7f19fa218caabec431dc3e2240d244020efdaab5b38e7ef'],
  [CertificateBundle as Type<unknown>, 1_000, '9493bc2a6feb31cb60999521fd37567d44d77aea8cd5a1e3a6d177a8b96bce14'],
  [BeaconReference as Type<unknown>, 4_000, '54cb0ca8582c43df1d4c5779fa148211915b8cc9161abae6cc675446eb5934d2'],
  [Cursor as Type<unknown>, 4_000, '68686f30aed6cc8400e42195a14e97f737cd4f452ba49cc5a22e2be942bf8b5d'],
  [Load as Type<unknown>, 1_000, 'bb36aa82db1e59c13562e5d12781748b5d709b3a3d8432da2478566e1536c648'],
  [ExecutionCommitment as Type<unknown>, 1_000, '99c7387014de6ca26db256614bd887c49ccb26c18e88d375cb77526c9112bb6e'],
  [BlockHeader as Type<unknown>, 1_000, '5fc56e8b6cb13635909d3d21f1b56f08df472b4aa5864eb0ff73f6a1a7c3d8d8'],
  [BlockBody as Type<unknown>, 1_000, '65d40723a4baf4a664627cdb2fd00ec1345a943cf42e755630bff4fcdf9a9d49'],
  [Block as Type<unknown>, 300, '0d2fcf8790b986dda4eab614ac44e9ac87fa699c6676735657be34e70e94ca5f'],
  [Proposal as Type<unknown>, 300, '11915b69b0e1e75d867418434acc636a1b997d9a15703606134fa7639ab8c221'],
  [BlockCertificates as Type<unknown>, 1_000, '4a43855d55d2e00a376f0f195be6885c6cf0f7bf2ecfabd04cfa38d6da93a0ae'],
  [CertifiedBlock as Type<unknown>, 300, '0639b725d5d49ef1b079f7f923e0cc05bb206b6fde02c184d0b372a6bb75e16a'],
  [StartRecord as Type<unknown>, 2_000, '4f7a1d6bf6e7a165f2dacd58de524c9e287bbcacfba63db30ff242e51a20afb5'],
  [OutboxSummary as Type<unknown>, 1_000, '087b14d75a70a97ff1a09007033ba9920913392966fa71328df74238c0da50a4'],
  [BundleIndex as Type<unknown>, 1_000, '2cb2df24f362a9358af0adce37a02f7175e3a94d02c82927e14d3f8ef4e02480'],
  [BundleIndexRoots as Type<unknown>, 1_000, '67adba62c2dd501487e81d79c671978500fe776ff77f1a5b388e8777d46ec49a'],
  [Crosslink as Type<unknown>, 200, '68307b9388b417cb0f14d38b5df31c8160e66be4a5a14f44f5ba42922d08aad9'],
  [EpochLayout as Type<unknown>, 500, 'e873292ec5345d600bffaf380e9a48eb764217cbb29057b064a4b0fa698ec85d'],
  [RecordEntry as Type<unknown>, 300, '41041efbec984021f636c78d1d1f65d2106ce14b58ed0cdb9f85339fc6a33613'],
  [BeaconState as unknown as Type<unknown>, 200, 'bf668dcc4589bf62e608934ff7814b49a1c63e056b977e839e7096a04f8e10ef'],
  [EncodedMessage as Type<unknown>, 1_000, '43cef08823f61b86fa50832fe2362cc583eab475c5b59835906a56276a757658'],
  [InboxItem as Type<unknown>, 1_000, '08f4bb8df1ab16888044047642b08aaf1089f01701ced4217f5c022e67e78b74'],
  [CarriedBundleIndex as Type<unknown>, 1_000, 'd0cbd356191aa9c4d3fb30827029081377296e48c1b670d3c40d0358bbc93784'],
  [PointerProof as Type<unknown>, 1_000, 'a581ff897677996eed943d08ac93008f64e11882c2d26103eb92bc89a3692173'],
  [StateChunk as Type<unknown>, 300, 'a881fc7fe24cc0ae7422a9a40b53a576c88b515debc22465cd7be88ba3df53c5'],
  [SignedAddressRecord as Type<unknown>, 1_000, 'ed0872366883adada31d557f99c1cb9a53b632905944487d959ba3855432179c'],
  [StateRequest as Type<unknown>, 2_000, 'd09db314200e073fe165af937662fa50b4a3e8acdc709c163e4fc299169840f3'],
  [StateFrame as Type<unknown>, 1_000, 'f976d0c1d5513a68c4934842e84242ba6d1e174855838191554e95865566ae80'],
  [BundlesRequest as Type<unknown>, 1_000, '5a4ebfc36c2fda62b313579728f7ae86d50dcf9c5354f8773f0b34e65a43889b'],
  [PointersRequest as Type<unknown>, 1_000, '43187a229b73ee95dab9cf0f3f2a24d707c8dd6d2ae0ccb574869fcf47fd218d'],
  [BundleFrame as Type<unknown>, 1_000, '66c9dd69dfd4d075a32ec4e0dad6ae6897b67c424f56115549bbc0f09e6cc6ff'],
  [SigningRecord as Type<unknown>, 1_000, 'd84663d836d2b2a50a57493629ea4e7751d70518f404c3e2b0e23a7ac3874f0d'],
];

const MUTATED_VALUES = 60;
/** After the instance and the height. */
const VOTE_ROUND_AT = 32 + 8;

before(() => installHashtree());

/** Hash over the encodings and roots of generated values. */
function formatHash(type: Type<unknown>, values: number): string {
  let hash = sha256(new TextEncoder().encode(type.typeName));
  for (let seed = 0; seed < values; seed++) {
    const value = generateValue(type, drawFrom(seed));
    hash = sha256(hash, type.serialize(value), type.hashTreeRoot(value));
  }
  return bytesToHex(hash);
}

describe('the format of', () => {
  for (const [type, values, expected] of FORMATS) {
    it(`${type.typeName} is pinned`, () => assert.equal(formatHash(type, values), expected));
  }
});

describe('decoding foreign bytes as', () => {
  for (const [type] of FORMATS) {
    it(`${type.typeName} gives back the value of its encoding, and nothing for an altered one that is not canonical`, () => {
      let refused = 0;
      for (let seed = 0; seed < MUTATED_VALUES; seed++) {
        const value = generateValue(type, drawFrom(seed));
        const encoding = type.serialize(value);
        const decoded = decodeCanonical(type, encoding);
        assert.ok(decoded.ok && type.equals(decoded.value, value));
        for (const mutant of mutantsOf(encoding, seed)) {
          const verdict = decodeCanonical(type, mutant);
          if (!verdict.ok) refused++;
          else assert.ok(bytesEqual(type.serialize(verdict.value), mutant) && !type.equals(verdict.value, value));
        }
      }
      assert.ok(refused >= MUTATED_VALUES, 'truncated encodings at least are refused');
    });
  }
});

describe('the root of an outbox', () => {
  it('is 32 zero bytes where nothing was sent, and the root of its summary otherwise', () => {
    assert.deepEqual(outboxRootOf(EMPTY_OUTBOX), new Uint8Array(32));
    const summary: OutboxSummary = { bundles: [{ destination: 2, messageCount: 1, weight: 2_000 }], indexesRoot: sha256() };
    assert.deepEqual(outboxRootOf(summary), OutboxSummary.hashTreeRoot(summary));
  });
});

describe('what is refused', () => {
  const vote = Vote.serialize(generateValue(Vote as Type<unknown>, drawFrom(1)) as Vote);

  it('is a uint64 that a double cannot hold', () => {
    assert.ok(decodeCanonical(Uint64, Uint8Array.of(255, 255, 255, 255, 255, 255, 31, 0)).ok);
    for (const high of [0x20, 0x80, 0xff]) {
      assert.equal(decodeCanonical(Uint64, Uint8Array.of(1, 0, 0, 0, 0, 0, high, 0)).ok, false, `byte 6 is ${high}`);
      assert.equal(decodeCanonical(Uint64, new Uint8Array(8).fill(0xff)).ok, false);
    }
  });

  it('is a uint64 above 2^53 that a double does hold, wherever it stands', () => {
    for (const [place, byte] of [
      [6, 0x20],
      [6, 0xff],
      [7, 0x80],
    ] as const) {
      const bytes = new Uint8Array(8);
      bytes[place] = byte;
      assert.equal(decodeCanonical(Uint64, bytes).ok, false);
      const round = vote.slice();
      round.set(bytes, VOTE_ROUND_AT);
      assert.equal(decodeCanonical(Vote, round).ok, false, 'a round');
      assert.equal(decodeCanonical(TimeoutCertificate.fields.highestQuorumCertificateRounds, bytes).ok, false, 'a round in a list');
    }
  });

  it('is an encoding of a fixed size with a byte less or more', () => {
    assert.equal(decodeCanonical(Vote, vote.subarray(1)).ok, false);
    assert.equal(decodeCanonical(Vote, concatBytes(vote, Uint8Array.of(0))).ok, false);
  });

  it('is a bitmap without its final bit, and an offset that leaves a gap', () => {
    const certificate = Certificate.serialize(generateValue(Certificate as Type<unknown>, drawFrom(2)) as QuorumCertificate);
    const withoutFinalBit = certificate.slice();
    withoutFinalBit[withoutFinalBit.length - 1] = 0;
    assert.equal(decodeCanonical(Certificate, withoutFinalBit).ok, false);
    const offsetAt = 8 + 8 + 32 + 1;
    const gap = concatBytes(certificate, Uint8Array.of(1));
    gap[offsetAt] = (gap[offsetAt] as number) + 1;
    assert.equal(decodeCanonical(Certificate, gap).ok, false);
  });

  it('is a list above its limit', () => {
    const two = concatBytes(Uint8Array.of(8, 0, 0, 0, 8, 0, 0, 0), uint64ToBytes(0));
    assert.equal(decodeCanonical(BlockHeader.fields.justify, two).ok, false);
  });
});

// Every single byte changed is too much for the large ones: a few places of each, a truncation, and a byte more.
function mutantsOf(encoding: Uint8Array, seed: number): readonly Uint8Array[] {
  const draw = drawFrom(seed + 1_000_000);
  const mutants = [encoding.slice(0, draw(encoding.length)), concatBytes(encoding, Uint8Array.of(draw(256)))];
  for (let i = 0; i < 6; i++) {
    const mutant = encoding.slice();
    const place = i < 3 ? draw(encoding.length) : draw(Math.min(encoding.length, 200));
    mutant[place] = (mutant[place] as number) ^ (1 + draw(255));
    mutants.push(mutant);
  }
  return mutants;
}
