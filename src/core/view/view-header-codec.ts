// The row of a view block's header: most questions need no more of the block. It names the executions that the block shows, whose rows were written with
// their shard blocks (execution-codec.ts), and the versions of state that its world is made of.
import { ContainerType, ListCompositeType, type ValueOf } from '@chainsafe/ssz';
import { bytesToHex } from '../primitives/bytes.ts';
import { invariant } from '../primitives/errors.ts';
import { CROSSLINK_HEADERS_MAX, CROSSLINKS_PER_BODY_MAX } from '../protocol/limits.ts';
import { Bytes32Type, Bytes256, decodeCanonical, Uint32, Uint64, Uint256 } from '../protocol/ssz.ts';
import { ShardHeight, ShardHeights } from './anchor.ts';
import { hashOfHeader } from './ethereum-header.ts';
import type { ViewBlock } from './view-block.ts';

/** Of a type, not of a block: far above what is held back at once. */
const LATE_MAX = 65_536;

/** Where a transaction that was held back is: the execution in which its main call ran, and its place among those held there. */
const HeldPlace = new ContainerType({ shard: Uint64, height: Uint64, index: Uint32 }, { typeName: 'HeldPlace', jsonCase: 'eth2' });
export type HeldPlace = ValueOf<typeof HeldPlace>;

const HeaderRecord = new ContainerType(
  {
    parentHash: Bytes32Type,
    stateRoot: Bytes32Type,
    transactionsRoot: Bytes32Type,
    receiptsRoot: Bytes32Type,
    logsBloom: Bytes256,
    number: Uint64,
    gasLimit: Uint64,
    gasUsed: Uint64,
    timestamp: Uint64,
    prevRandao: Bytes32Type,
    baseFeePerGasWei: Uint256,
    parentBeaconBlockRoot: Bytes32Type,
    timestampMs: Uint64,
    executions: new ListCompositeType(ShardHeight, CROSSLINK_HEADERS_MAX * CROSSLINKS_PER_BODY_MAX),
    late: new ListCompositeType(HeldPlace, LATE_MAX),
    heights: ShardHeights,
  },
  { typeName: 'ViewHeaderRecord', jsonCase: 'eth2' },
);

/** A view block without its contents: all that a search for logs reads of most blocks. */
export type ViewHeader = Pick<ViewBlock, 'header' | 'hash' | 'hashHex' | 'timestampMs'>;

/** What the header's row says beside the header. */
export interface ViewPlaces {
  /** The executions in the block of which something is kept, in order. */
  readonly executions: readonly ShardHeight[];
  /** Transactions of other blocks' executions that it shows after its own. */
  readonly late: readonly HeldPlace[];
  /** The versions of the shards' states after the block, left to right. */
  readonly heights: readonly ShardHeight[];
}

/** The row of a view block's header. */
export function encodeViewHeader({ header, timestampMs }: ViewHeader, { executions, late, heights }: ViewPlaces): Uint8Array {
  return HeaderRecord.serialize({ ...header, timestampMs, executions: [...executions], late: [...late], heights: [...heights] });
}

/** Reads back the header's row. */
export function decodeViewHeader(bytes: Uint8Array): ViewHeader & ViewPlaces {
  const { timestampMs, executions, late, heights, ...header } = storedHeader(bytes);
  const hash = hashOfHeader(header);
  return { header, hash, hashHex: bytesToHex(hash), timestampMs, executions, late, heights };
}

function storedHeader(bytes: Uint8Array): ValueOf<typeof HeaderRecord> {
  const decoded = decodeCanonical(HeaderRecord, bytes);
  invariant(decoded.ok, 'the stored header of a view block decodes');
  return decoded.value;
}
