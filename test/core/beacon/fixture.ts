// What the tests of the beacon share: a network in small, and shard chains whose blocks hold nothing but the right links. Certificates carry
// everybody's bits and no signature: what is claimed is returned by the rules, and verified in the tests that are about that.
import { BitArray } from '@chainsafe/ssz';
import { type BeaconConstants, beaconConstantsOf } from '../../../src/core/beacon/constants.ts';
import { genesisBeaconState } from '../../../src/core/beacon/genesis-state.ts';
import { EMPTY_BODY_ROOT } from '../../../src/core/beacon/header-fields.ts';
import { instanceOfRecord } from '../../../src/core/beacon/instance.ts';
import { NO_LOAD } from '../../../src/core/beacon/load.ts';
import { type BeaconState, layoutOfEpoch, type RecordEntry, shardsOf } from '../../../src/core/beacon/state.ts';
import { type Applied, applyBeaconBlock, type TransitionInput } from '../../../src/core/beacon/transition.ts';
import { sha256 } from '../../../src/core/crypto/sha256.ts';
import { ZERO_32 } from '../../../src/core/primitives/bytes.ts';
import type { Bytes32, ChainId } from '../../../src/core/primitives/ids.ts';
import type { Verdict } from '../../../src/core/primitives/verdict.ts';
import { type BlockBody, type BlockHeader, blockHashOf, EMPTY_BODY, type ExecutionCommitment } from '../../../src/core/protocol/block.ts';
import { type BlockPoint, type QuorumCertificate, SCHEME_BLS } from '../../../src/core/protocol/certificate.ts';
import type { Instance, StartRecord } from '../../../src/core/protocol/committee.ts';
import { Crosslink } from '../../../src/core/protocol/crosslink.ts';
import type { Genesis } from '../../../src/core/protocol/genesis.ts';
import { EMPTY_OUTBOX, type OutboxSummary, outboxRootOf } from '../../../src/core/protocol/outbox.ts';
import type { NetworkParameters } from '../../../src/core/protocol/parameters.ts';
import { PARAMETERS } from '../execution/block-setup.ts';

/** A made-up 32 bytes. */
export function rootOf(...parts: readonly (string | number)[]): Bytes32 {
  return sha256(new TextEncoder().encode(parts.join('/')));
}

/** A genesis of validators with keys that mean nothing, one seat each. */
export function smallGenesis(changed: {
  readonly validators?: number;
  readonly layout?: readonly ChainId[];
  readonly parameters?: Partial<NetworkParameters>;
}): Genesis {
  const { validators = 4, layout = [1], parameters = {} } = changed;
  return {
    parameters: { ...PARAMETERS, committeeSeats: 4, epochBlocks: 8, takeoverGraceBlocks: 12, ...parameters },
    validators: Array.from({ length: validators }, (_unused, index) => ({
      blsPublicKey: new Uint8Array(48).fill(index % 256).with(47, index >> 8),
      vrfPublicKey: rootOf('vrf', index),
      peerKey: rootOf('peer', index),
      rewardAddress: new Uint8Array(20).fill(index),
      seats: 1,
      proofOfPossession: new Uint8Array(96),
    })),
    accounts: [],
    timestampMs: 1_000,
    seed: rootOf('genesis seed'),
    layout,
  };
}

/** A beacon of which every block is committed as it is made. */
export interface Beacon {
  readonly constants: BeaconConstants;
  state: BeaconState;
  readonly hashes: Bytes32[];
}

/** The beacon at genesis. */
export function beaconOf(genesis: Genesis, stateRootOfShard = (shard: ChainId): Bytes32 => rootOf('state', shard)): Beacon {
  const state = genesisBeaconState(genesis, stateRootOfShard);
  return { constants: beaconConstantsOf(genesis), state, hashes: [rootOf('beacon', 0)] };
}

/** The layout stays as it is for the next epoch. */
export function sameLayout({ constants }: Beacon): (state: BeaconState) => readonly ChainId[] {
  return (state) => {
    const epoch = Math.floor((state.height - 1) / constants.parameters.epochBlocks);
    const next = layoutOfEpoch(state, epoch + 1);
    return next === undefined ? [] : shardsOf(next);
  };
}

/** What a block on the beacon's newest would be applied with. */
export function nextInput(beacon: Beacon, body: Partial<BlockBody> = {}, changed: Partial<TransitionInput> = {}): TransitionInput {
  const { constants, state, hashes } = beacon;
  const height = state.height + 1;
  return {
    constants,
    state,
    block: { height, timestampMs: state.timestampMs + constants.parameters.beaconBlockIntervalMsMin, seed: rootOf('seed', height) },
    body: { ...EMPTY_BODY, ...body },
    beaconHashAt: (at) => hashes[at],
    nextLayout: sameLayout(beacon),
    ...changed,
  };
}

/** Applies a block and commits it. */
export function advance(beacon: Beacon, body: Partial<BlockBody> = {}, changed: Partial<TransitionInput> = {}): Applied {
  const applied = accepted(applyBeaconBlock(nextInput(beacon, body, changed)));
  beacon.state = applied.state;
  beacon.hashes.push(rootOf('beacon', applied.state.height));
  return applied;
}

/** Commits blocks without a body up to a height. */
export function advanceTo(beacon: Beacon, height: number): void {
  while (beacon.state.height < height) advance(beacon);
}

function accepted(verdict: Verdict<Applied>): Applied {
  if (!verdict.ok) throw new Error(`${verdict.reason}: ${verdict.detail}`);
  return verdict.value;
}

/** The record of a shard in the newest state. */
export function entryOf({ state }: Beacon, shard: ChainId): RecordEntry {
  const entry = state.records.find(({ record }) => record.shard === shard);
  if (entry === undefined) throw new Error(`shard ${shard} has no record`);
  return entry;
}

/** What a header of a fake chain is made with. */
export type HeaderChange = Partial<Omit<BlockHeader, 'parentExecution'>> & { readonly execution?: Partial<ExecutionCommitment> };

/** A shard's chain in one instance: blocks of the right links, as many as one likes. */
export interface FakeChain {
  readonly instance: Instance;
  readonly headers: BlockHeader[];
  readonly hashes: Bytes32[];
}

/** The chain of a record, without blocks. */
export function chainOf({ constants, state }: Beacon, record: StartRecord): FakeChain {
  return { instance: instanceOfRecord(constants, state, record), headers: [], hashes: [] };
}

/** The next block of the chain: its reference is the beacon's newest block, its state a made-up one, unless told otherwise. */
export function extend(beacon: Beacon, chain: FakeChain, change: HeaderChange = {}): BlockHeader {
  const header = headerAfter(beacon, chain, change);
  chain.headers.push(header);
  chain.hashes.push(blockHashOf(header));
  return header;
}

/** A carrier after the chain's last block, which closes it. */
export function extendByCarrier(chain: FakeChain, change: HeaderChange = {}): BlockHeader {
  const parent = chain.headers.at(-1) as BlockHeader;
  const { execution, ...fields } = change;
  const header: BlockHeader = {
    ...parent,
    round: parent.round + 1,
    parentHash: chain.hashes.at(-1) as Bytes32,
    justify: [certificateOf(chain.instance, pointOf(chain, chain.headers.length - 1))],
    parentExecution: { ...parent.parentExecution, ...execution },
    ...fields,
  };
  chain.headers.push(header);
  chain.hashes.push(blockHashOf(header));
  return header;
}

function headerAfter({ state, hashes }: Beacon, chain: FakeChain, { execution, ...change }: HeaderChange): BlockHeader {
  const { startRecord, startRecordRoot, committee, instanceId } = chain.instance;
  const index = chain.headers.length - 1;
  const parent = chain.headers[index];
  const height = (parent?.height ?? startRecord.height) + 1;
  const round = (parent?.round ?? 0) + 1;
  return {
    instanceId,
    height,
    round,
    parentHash: chain.hashes[index] ?? startRecordRoot,
    justify: parent === undefined ? [] : [certificateOf(chain.instance, pointOf(chain, index))],
    timeoutCertificate: [],
    proposer: committee.members[height % committee.members.length]?.validator ?? 0,
    vrfProof: new Uint8Array(80),
    timestampMs: (parent?.timestampMs ?? startRecord.timestampMs) + 20,
    beaconReference: { height: state.height, hash: hashes[state.height] as Bytes32 },
    bodyRoot: EMPTY_BODY_ROOT,
    gasBought: 0,
    baseFeePerGasWei: startRecord.baseFeePerGasWei + BigInt(height),
    parentExecution: {
      stateRoot: parent === undefined ? startRecord.stateRoot : rootOf('state', startRecord.shard, height),
      receiptsRoot: ZERO_32,
      outboxRoot: ZERO_32,
      gasUsed: 0,
      logsBloom: new Uint8Array(256),
      cursors: [],
      load: NO_LOAD,
      proposerFeesWei: 0n,
      burnedFeesWei: 0n,
      ...execution,
    },
    postStateRoot: ZERO_32,
    ...change,
  };
}

/** What is voted for. */
export function pointOf({ headers, hashes }: FakeChain, index: number): BlockPoint {
  const { height, round } = headers[index] as BlockHeader;
  return { height, round, blockHash: hashes[index] as Bytes32 };
}

/** A certificate with the bits of these members, of all by default, and a signature that means nothing. */
export function certificateOf({ committee }: Instance, point: BlockPoint, signers = committee.members.map(() => true)): QuorumCertificate {
  return { point, scheme: SCHEME_BLS, signers: BitArray.fromBoolArray([...signers]), signature: new Uint8Array(96) };
}

/** What a crosslink is made of. */
export interface CrosslinkParts {
  readonly from?: number;
  readonly carriers?: number;
  readonly outboxes?: ReadonlyMap<number, OutboxSummary>;
  readonly change?: Partial<Crosslink>;
}

/** The crosslink of a chain's blocks from place `from` on; the last `carriers` of them are carriers. */
export function crosslinkOf(
  chain: FakeChain,
  { from = 0, carriers = 0, outboxes = new Map(), change = {} }: CrosslinkParts = {},
): Crosslink {
  const end = chain.headers.length - carriers;
  const certificate = certificateOf(chain.instance, pointOf(chain, chain.headers.length - 1));
  const headers = chain.headers.slice(from, end);
  return {
    shard: chain.instance.chain,
    epoch: chain.instance.epoch,
    headers,
    outboxes: headers.map(({ height }) => outboxes.get(height - 1) ?? EMPTY_OUTBOX),
    carriers: chain.headers.slice(end),
    quorumCertificate: certificate,
    commitCertificate: certificate,
    childStateRoots: [],
    ...change,
  };
}

/** As a body carries it. */
export function encoded(crosslink: Crosslink): Uint8Array {
  return Crosslink.serialize(crosslink);
}

/** An outbox with one message for each of these shards. */
export function outboxTo(...destinations: readonly ChainId[]): OutboxSummary {
  return {
    bundles: destinations.map((destination) => ({ destination, messageCount: 1, weight: 2_000 })),
    indexesRoot: rootOf('indexes', ...destinations),
  };
}

/** The execution that emitted an outbox. */
export function emitting(summary: OutboxSummary): Partial<ExecutionCommitment> {
  return { outboxRoot: outboxRootOf(summary) };
}
