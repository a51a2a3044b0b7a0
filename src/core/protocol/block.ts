// Blocks: header, body, and the hash that names them (protocol, sections 3 and 5). A shard's header commits the execution of its
// *parent*, the beacon's its own. All chains have one form of header and body, so that one engine, one codec and one store serve them; a field
// that a chain has no use for has one permitted value there, which voters check.
import { ContainerType, ListCompositeType, type Type, type ValueOf } from '@chainsafe/ssz';
import { hashPairs, sha256 } from '../crypto/sha256.ts';
import type { Bytes32 } from '../primitives/ids.ts';
import { OptionalCertificate, TimeoutCertificate } from './certificate.ts';
import {
  BUNDLE_INDEX_BYTES_MAX,
  BUNDLE_INDEXES_PER_BODY_MAX,
  CROSSLINK_BYTES_MAX,
  CROSSLINKS_PER_BODY_MAX,
  CURSORS_MAX,
  EVIDENCE_BYTES_MAX,
  EVIDENCE_PER_BODY_MAX,
  INBOX_ITEM_BYTES_MAX,
  INBOX_ITEMS_PER_BODY_MAX,
  POINTER_PROOF_BYTES_MAX,
  POINTER_PROOFS_PER_BODY_MAX,
  TRANSACTION_BYTES_MAX,
  TRANSACTIONS_PER_BODY_MAX,
} from './limits.ts';
import { LoadType } from './load-type.ts';
import { Bytes32Type, Bytes80, Bytes256, byteList, Uint32, Uint64, Uint256 } from './ssz.ts';

/** The beacon block that a shard header names: everything a shard reads from the beacon, it reads there. */
export const BeaconReference = new ContainerType({ height: Uint64, hash: Bytes32Type }, { typeName: 'BeaconReference', jsonCase: 'eth2' });
export type BeaconReference = ValueOf<typeof BeaconReference>;

/**
 * How far a stream of messages (source, prefix) has been executed: of the outbox at `height` of the source, what is under the prefix and
 * stands before position `index`, counted over all its bundles (decision 014), and all of lower heights.
 */
export const Cursor = new ContainerType(
  { source: Uint64, prefix: Uint64, height: Uint64, index: Uint32 },
  { typeName: 'Cursor', jsonCase: 'eth2' },
);
export type Cursor = ValueOf<typeof Cursor>;

/** The shard's load and how it divides among its descendants, level by level, left to right. */
export const Load = new LoadType();
export type Load = ValueOf<typeof Load>;

/** The result of executing a block, committed by the header of its child. */
export const ExecutionCommitment = new ContainerType(
  {
    stateRoot: Bytes32Type,
    receiptsRoot: Bytes32Type,
    outboxRoot: Bytes32Type,
    gasUsed: Uint64,
    logsBloom: Bytes256,
    cursors: new ListCompositeType(Cursor, CURSORS_MAX),
    load: Load,
    /** Half of the priority fees of sender parts, and travelling halves of main calls executed: owed to the proposer of the block executed. */
    proposerFeesWei: Uint256,
    /** Base fees burned. */
    burnedFeesWei: Uint256,
  },
  { typeName: 'ExecutionCommitment', jsonCase: 'eth2' },
);
export type ExecutionCommitment = ValueOf<typeof ExecutionCommitment>;

/** See the file's head. `chain`, `epoch` and the rest of the instance are in `instanceId`. */
export const BlockHeader = new ContainerType(
  {
    instanceId: Bytes32Type,
    height: Uint64,
    round: Uint64,
    parentHash: Bytes32Type,
    /** QC of the parent; none for the first block of an instance. */
    justify: OptionalCertificate,
    /** TC of the round before, where there was no QC for it. */
    timeoutCertificate: new ListCompositeType(TimeoutCertificate, 1),
    proposer: Uint32,
    vrfProof: Bytes80,
    timestampMs: Uint64,
    beaconReference: BeaconReference,
    bodyRoot: Bytes32Type,
    /** Gas bought by the body's transactions: static, so that the base fee needs no execution. */
    gasBought: Uint64,
    /** The price per gas that transactions of the *child* pay (a body pays its parent header's). */
    baseFeePerGasWei: Uint256,
    parentExecution: ExecutionCommitment,
    /** The beacon executes before it votes: its state after this block. Zeros on a shard. */
    postStateRoot: Bytes32Type,
  },
  { typeName: 'BlockHeader', jsonCase: 'eth2' },
);
export type BlockHeader = ValueOf<typeof BlockHeader>;

/** What a block carries. The beacon's has crosslinks and evidence, a shard's everything else. */
export const BlockBody = new ContainerType(
  {
    /** Messages of other shards with their proofs (messaging/inbox-item.ts), in the order of execution. */
    inbox: new ListCompositeType(byteList(INBOX_ITEM_BYTES_MAX), INBOX_ITEMS_PER_BODY_MAX),
    /** As Ethereum encodes them. */
    transactions: new ListCompositeType(byteList(TRANSACTION_BYTES_MAX), TRANSACTIONS_PER_BODY_MAX),
    /** Of bundles that are wider than a cursor's prefix: which of their messages are of its stream. */
    bundleIndexes: new ListCompositeType(byteList(BUNDLE_INDEX_BYTES_MAX), BUNDLE_INDEXES_PER_BODY_MAX),
    /** Where the foreign targets of transactions with data live. */
    pointerProofs: new ListCompositeType(byteList(POINTER_PROOF_BYTES_MAX), POINTER_PROOFS_PER_BODY_MAX),
    /** Shard blocks that become final (protocol/crosslink.ts), in the order in which they are applied. */
    crosslinks: new ListCompositeType(byteList(CROSSLINK_BYTES_MAX), CROSSLINKS_PER_BODY_MAX),
    /** What proves that validators were not honest (consensus/evidence). */
    evidence: new ListCompositeType(byteList(EVIDENCE_BYTES_MAX), EVIDENCE_PER_BODY_MAX),
  },
  { typeName: 'BlockBody', jsonCase: 'eth2' },
);
export type BlockBody = ValueOf<typeof BlockBody>;

/** A body with nothing in it. */
export const EMPTY_BODY: BlockBody = {
  inbox: [],
  transactions: [],
  bundleIndexes: [],
  pointerProofs: [],
  crosslinks: [],
  evidence: [],
};

/** What `bodyRoot` is the root of: hashes instead of contents (0.18 ms against 26 ms for a thousand transactions). */
const BodyCommitment = new ContainerType(
  {
    inbox: new ListCompositeType(Bytes32Type, INBOX_ITEMS_PER_BODY_MAX),
    transactions: new ListCompositeType(Bytes32Type, TRANSACTIONS_PER_BODY_MAX),
    bundleIndexes: new ListCompositeType(Bytes32Type, BUNDLE_INDEXES_PER_BODY_MAX),
    pointerProofs: new ListCompositeType(Bytes32Type, POINTER_PROOFS_PER_BODY_MAX),
    crosslinks: new ListCompositeType(Bytes32Type, CROSSLINKS_PER_BODY_MAX),
    evidence: new ListCompositeType(Bytes32Type, EVIDENCE_PER_BODY_MAX),
  } satisfies Readonly<Record<keyof BlockBody, unknown>>,
  { typeName: 'BodyCommitment', jsonCase: 'eth2' },
);

/** The root that a header carries for a body: over the Keccak hashes of its transactions, which the caller knows, and SHA-256 of all else. */
export function bodyRootOf(body: BlockBody, transactionHashes: readonly Bytes32[]): Bytes32 {
  const hashesOf = (parts: readonly Uint8Array[]): Bytes32[] => parts.map((part) => sha256(part));
  return BodyCommitment.hashTreeRoot({
    inbox: hashesOf(body.inbox),
    transactions: [...transactionHashes],
    bundleIndexes: hashesOf(body.bundleIndexes),
    pointerProofs: hashesOf(body.pointerProofs),
    crosslinks: hashesOf(body.crosslinks),
    evidence: hashesOf(body.evidence),
  });
}

/** The Merkle tree over a header's fields. */
interface HeaderTree {
  /** 32 bytes a node: at 1 the root, below node i the nodes 2i and 2i + 1; at 16 the first field. */
  readonly nodes: Uint8Array;
  readonly root: Bytes32;
}

const CHUNK_BYTES = 32;
/** Places for fields: a power of two. */
const FIELDS_WIDTH = 2 ** Math.ceil(Math.log2(BlockHeader.fieldsEntries.length));
/** A header is hashed by whoever receives it, judges it, votes for it and stores it, and is a value that nobody writes into. */
const headerTrees = new WeakMap<BlockHeader, HeaderTree>();

/** The name of a block: the root of its whole header, justify and TC included. */
export function blockHashOf(header: BlockHeader): Bytes32 {
  return headerTreeOf(header).root;
}

/** The siblings of a field on its way to the root, from the lowest up. */
export function headerBranchOf(header: BlockHeader, fieldIndex: number): Bytes32[] {
  const { nodes } = headerTreeOf(header);
  const branch: Bytes32[] = [];
  for (let node = FIELDS_WIDTH + fieldIndex; node > 1; node >>= 1)
    branch.push(nodes.slice((node ^ 1) * CHUNK_BYTES, ((node ^ 1) + 1) * CHUNK_BYTES));
  return branch;
}

function headerTreeOf(header: BlockHeader): HeaderTree {
  const known = headerTrees.get(header);
  if (known !== undefined) return known;
  const nodes = new Uint8Array(2 * FIELDS_WIDTH * CHUNK_BYTES);
  for (const [index, { fieldName, fieldType }] of BlockHeader.fieldsEntries.entries())
    (fieldType as Type<unknown>).hashTreeRootInto(header[fieldName], nodes, (FIELDS_WIDTH + index) * CHUNK_BYTES);
  for (let width = FIELDS_WIDTH; width > 1; width /= 2)
    hashPairs(nodes.subarray(width * CHUNK_BYTES, 2 * width * CHUNK_BYTES), nodes.subarray((width / 2) * CHUNK_BYTES, width * CHUNK_BYTES));
  const tree = { nodes, root: nodes.slice(CHUNK_BYTES, 2 * CHUNK_BYTES) };
  headerTrees.set(header, tree);
  return tree;
}
