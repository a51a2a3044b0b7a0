// SSZ containers, each by the one way that foreign bytes are decoded; and the requests and answers of synchronisation that hold them.
import assert from 'node:assert/strict';
import type { Type } from '@chainsafe/ssz';
import { BeaconState, EpochLayout, RecordEntry, Validator } from '../../../src/core/beacon/state.ts';
import { SigningRecord } from '../../../src/core/consensus/record.ts';
import { ItemReceipt } from '../../../src/core/execution/item-receipt.ts';
import type { Verdict } from '../../../src/core/primitives/verdict.ts';
import { BeaconReference, BlockBody, BlockHeader, Cursor, ExecutionCommitment, Load } from '../../../src/core/protocol/block.ts';
import {
  BlockPoint,
  Certificate,
  OptionalCertificate,
  SignerBits,
  TimeoutCertificate,
  TimeoutPoint,
} from '../../../src/core/protocol/certificate.ts';
import { Block, BlockCertificates, CertifiedBlock } from '../../../src/core/protocol/certified-block.ts';
import { StartRecord } from '../../../src/core/protocol/committee.ts';
import { Crosslink } from '../../../src/core/protocol/crosslink.ts';
import { LoadEntry } from '../../../src/core/protocol/load-type.ts';
import { BundleEntry, BundleIndex, BundleIndexRoots, BundleSummary, OutboxSummary } from '../../../src/core/protocol/outbox.ts';
import { decodeCanonical } from '../../../src/core/protocol/ssz.ts';
import { CertificateBundle, Proposal, Timeout, Vote } from '../../../src/core/protocol/vote.ts';
import { BlockByHashRequest, BlocksByRangeRequest, Status, StatusRequest } from '../../../src/sync/block-protocol.ts';
import { decodeBlock, decodeCertifiedBlock } from '../../../src/sync/block-server.ts';
import { type FuzzTarget, judgeCanonical } from '../target.ts';
import { sszValue } from './values.ts';

/** By the file that exports each. */
const CONTAINERS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'core/protocol/certificate': { SignerBits, BlockPoint, Certificate, OptionalCertificate, TimeoutPoint, TimeoutCertificate },
  'core/protocol/load-type': { LoadEntry },
  'core/protocol/block': { BeaconReference, Cursor, Load, ExecutionCommitment, BlockHeader, BlockBody },
  'core/protocol/certified-block': { Block, BlockCertificates, CertifiedBlock },
  'core/protocol/crosslink': { Crosslink },
  'core/protocol/outbox': { BundleSummary, OutboxSummary, BundleIndexRoots, BundleEntry, BundleIndex },
  'core/protocol/committee': { StartRecord },
  'core/beacon/state': { Validator, EpochLayout, RecordEntry, BeaconState },
  'core/protocol/vote': { Proposal, Vote, Timeout, CertificateBundle },
  'core/consensus/record': { SigningRecord },
  'core/execution/item-receipt': { ItemReceipt },
  'sync/block-protocol': { StatusRequest, Status, BlocksByRangeRequest, BlockByHashRequest },
};

const EXECUTIONS = 700;

function containerTarget(file: string, name: string, type: Type<unknown>): FuzzTarget {
  return decoderTarget(`ssz-${kebab(name)}`, [`${file}#${name}`, 'core/protocol/ssz#decodeCanonical'], type, (bytes) =>
    decodeCanonical(type, bytes),
  );
}

function decoderTarget(
  name: string,
  covers: readonly string[],
  type: Type<unknown>,
  decode: (bytes: Uint8Array) => Verdict<unknown>,
): FuzzTarget {
  return {
    name,
    covers,
    executions: EXECUTIONS,
    generate(random) {
      const value = sszValue(type, random);
      const encoded = type.serialize(value);
      const decoded = decode(encoded);
      assert.ok(decoded.ok && type.equals(decoded.value, value), 'a value is what its encoding decodes to');
      return encoded;
    },
    judge: (bytes) =>
      judgeCanonical(bytes, decode(bytes), (value) => {
        assertExact(value);
        return type.serialize(value);
      }),
  };
}

/** See the file's head. */
export const CONTAINER_TARGETS: readonly FuzzTarget[] = [
  ...Object.entries(CONTAINERS).flatMap(([file, types]) =>
    Object.entries(types).map(([name, type]) => containerTarget(file, name, type as Type<unknown>)),
  ),
  decoderTarget('block-answer', ['sync/block-server#decodeBlock'], Block as unknown as Type<unknown>, decodeBlock),
  decoderTarget(
    'range-answer',
    ['sync/block-server#decodeCertifiedBlock'],
    CertifiedBlock as unknown as Type<unknown>,
    decodeCertifiedBlock,
  ),
];

// Sums of heights, rounds and gas are right only of numbers that a double counts with.
function assertExact(value: unknown): void {
  if (typeof value === 'number') assert.ok(Number.isSafeInteger(value) && value >= 0, `${value} is no safe integer`);
  else if (typeof value === 'object' && value !== null && !(value instanceof Uint8Array))
    for (const part of Object.values(value)) assertExact(part);
}

function kebab(name: string): string {
  return name.replace(/(?<!^)[A-Z]/g, (letter) => `-${letter}`).toLowerCase();
}
