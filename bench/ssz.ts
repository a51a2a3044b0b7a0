// Times the encodings: `node bench/ssz.ts [--json]`. A block of a thousand transfers and a vote: encoded, decoded canonically, and their
// roots. Prints µs per operation, fastest and median of several samples. With --json the last line is one JSON object.
import { parseArgs } from 'node:util';
import { BitArray } from '@chainsafe/ssz';
import { sha256 } from '../src/core/crypto/sha256.ts';
import { commitmentOfRecord } from '../src/core/execution/commitment.ts';
import { uint64ToBytes, ZERO_32 } from '../src/core/primitives/bytes.ts';
import { type BlockBody, type BlockHeader, blockHashOf, bodyRootOf, EMPTY_BODY } from '../src/core/protocol/block.ts';
import { SCHEME_BLS } from '../src/core/protocol/certificate.ts';
import { Block } from '../src/core/protocol/certified-block.ts';
import { decodeCanonical } from '../src/core/protocol/ssz.ts';
import { Vote } from '../src/core/protocol/vote.ts';
import { installHashtree } from '../src/runtime/native/ssz-hashtree.ts';

const TRANSACTIONS = 1_000;
/** A transfer of type 2 as wallets encode it. */
const TRANSACTION_BYTES = 118;
const SAMPLES = 15;
const SAMPLE_MS = 20;

/** One operation's cost. */
interface Timing {
  readonly operation: string;
  readonly microsecondsMin: number;
  readonly microsecondsMedian: number;
}

function time(operation: string, run: () => unknown): Timing {
  let calls = 1;
  while (microsecondsOf(run, calls) < SAMPLE_MS * 1_000) calls *= 2;
  const samples = Array.from({ length: SAMPLES }, () => microsecondsOf(run, calls) / calls).sort((a, b) => a - b);
  const rounded = (microseconds: number | undefined): number => Number((microseconds ?? 0).toPrecision(3));
  return { operation, microsecondsMin: rounded(samples[0]), microsecondsMedian: rounded(samples[SAMPLES >> 1]) };
}

function microsecondsOf(run: () => unknown, calls: number): number {
  const start = process.hrtime.bigint();
  for (let call = 0; call < calls; call++) run();
  return Number(process.hrtime.bigint() - start) / 1_000;
}

function headerOf(bodyRoot: Uint8Array): BlockHeader {
  const point = { height: 41, round: 43, blockHash: ZERO_32 };
  const signers = BitArray.fromBoolArray([true, true, true, false]);
  return {
    instanceId: ZERO_32,
    height: 42,
    round: 44,
    parentHash: ZERO_32,
    justify: [{ point, scheme: SCHEME_BLS, signers, signature: new Uint8Array(96) }],
    timeoutCertificate: [],
    proposer: 1,
    vrfProof: new Uint8Array(80),
    timestampMs: 1_795_250_713_458,
    beaconReference: { height: 41, hash: ZERO_32 },
    bodyRoot,
    gasBought: 21_000 * TRANSACTIONS,
    baseFeePerGasWei: 100_000_000n,
    parentExecution: commitmentOfRecord(ZERO_32),
    postStateRoot: ZERO_32,
  };
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { json: { type: 'boolean', default: false } } });
  const hasher = await installHashtree();
  const transactions = Array.from({ length: TRANSACTIONS }, (_unused, index) => {
    const raw = new Uint8Array(TRANSACTION_BYTES);
    raw.set(uint64ToBytes(index), 20);
    return raw;
  });
  const hashes = transactions.map((raw) => sha256(raw));
  const body: BlockBody = { ...EMPTY_BODY, transactions };
  const block = { header: headerOf(bodyRootOf(body, hashes)), body };
  const vote = { instanceId: ZERO_32, point: { height: 42, round: 44, blockHash: ZERO_32 }, validator: 3, signature: new Uint8Array(96) };
  const blockBytes = Block.serialize(block);
  const voteBytes = Vote.serialize(vote);
  const timings = [
    time(`encode a block of ${TRANSACTIONS} transactions`, () => Block.serialize(block)),
    time(`decode a block of ${TRANSACTIONS} transactions`, () => decodeCanonical(Block, blockBytes)),
    time(`root of a body from ${TRANSACTIONS} hashes`, () => bodyRootOf(body, hashes)),
    time('hash of a header', () => blockHashOf(block.header)),
    time('encode a vote', () => Vote.serialize(vote)),
    time('decode a vote', () => decodeCanonical(Vote, voteBytes)),
  ];
  for (const { operation, microsecondsMin, microsecondsMedian } of timings) {
    console.log(`${operation.padEnd(40)} ${String(microsecondsMin).padStart(9)} µs (median ${microsecondsMedian})`);
  }
  if (values.json) console.log(JSON.stringify({ benchmark: 'ssz', unit: 'µs per operation', hasher, timings }));
}

await main();
