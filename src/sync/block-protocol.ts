// Blocks by request: what a node that started late, or missed a gossip, asks of others (protocol, section 9). Status (where are
// you), blocks by range (committed ones, with their certificates) and a block by hash (also one that is not committed).
import { ContainerType, type ValueOf } from '@chainsafe/ssz';
import { Bytes32Type, Uint32, Uint64 } from '../core/protocol/ssz.ts';
import { protocolName } from '../network/topics.ts';

/** Names of the request protocols. */
export const BLOCK_PROTOCOLS = {
  status: protocolName('status'),
  blocksByRange: protocolName('blocks-by-range'),
  blockByHash: protocolName('block-by-hash'),
} as const;

/** Blocks that one range request may ask for. */
export const RANGE_BLOCKS_MAX = 64;
/** Bytes of one range answer. */
export const RANGE_BYTES_MAX = 24 * 1024 * 1024;
/** Bytes of one block with its certificates: a body of 1 MiB, and headers. */
export const BLOCK_BYTES_MAX = 2 * 1024 * 1024;

/** Which run of which chain one asks about. */
export const StatusRequest = new ContainerType({ instanceId: Bytes32Type }, { typeName: 'StatusRequest', jsonCase: 'eth2' });

/** Where a node stands in an instance. */
export const Status = new ContainerType(
  { instanceId: Bytes32Type, committedHeight: Uint64, committedHash: Bytes32Type, round: Uint64 },
  { typeName: 'Status', jsonCase: 'eth2' },
);
export type Status = ValueOf<typeof Status>;

/** Committed blocks from a height on. */
export const BlocksByRangeRequest = new ContainerType(
  { instanceId: Bytes32Type, fromHeight: Uint64, count: Uint32 },
  { typeName: 'BlocksByRangeRequest', jsonCase: 'eth2' },
);

/** One block, wherever it stands. */
export const BlockByHashRequest = new ContainerType(
  { instanceId: Bytes32Type, hash: Bytes32Type },
  { typeName: 'BlockByHashRequest', jsonCase: 'eth2' },
);
