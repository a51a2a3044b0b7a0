// A shard's state by request: "the leaves of shard S at height h with root R, behind this position" (protocol, section 8). An answer has a
// bounded part of them, as chunks (core/state/state-chunk.ts) in the order of keys, and says where they end; the asker goes on behind the last
// one that it has. So neither side keeps anything between two questions, and any peer can answer the next one.
import { ContainerType, ListCompositeType } from '@chainsafe/ssz';
import type { Bytes32 } from '../core/primitives/ids.ts';
import { accept, refuse, type Verdict } from '../core/primitives/verdict.ts';
import { isShardId } from '../core/protocol/shard-id.ts';
import { Bytes32Type, byteList, decodeCanonical, Uint8, Uint64 } from '../core/protocol/ssz.ts';
import type { ExportPosition } from '../core/state/export-leaves.ts';
import { CHUNK_BYTES_MAX } from '../core/state/state-chunk.ts';
import { protocolName } from '../network/topics.ts';

/** Name of the request protocol. */
export const STATE_PROTOCOL = protocolName('state');

/** Chunks of one answer: what the asker has in memory at once, and what the one who answers makes in about 50 ms. */
export const ANSWER_CHUNKS_MAX = 4;
/** A chunk that others follow is fuller than this: the next leaf did not fit, with a code of 24 KiB at most. So progress has a least pace. */
export const FOLLOWED_CHUNK_BYTES_MIN = CHUNK_BYTES_MAX / 2;
/** Beside the chunk: kind and offset. */
const FRAME_BYTES = 5;
/** Bytes of one answer, with the frame that says how it ends. */
export const STATE_ANSWER_BYTES_MAX = ANSWER_CHUNKS_MAX * (CHUNK_BYTES_MAX + FRAME_BYTES) + FRAME_BYTES;

const StatePosition = new ContainerType(
  { key: Bytes32Type, slot: new ListCompositeType(Bytes32Type, 1) },
  { typeName: 'StatePosition', jsonCase: 'eth2' },
);

/** See the file's head. */
export const StateRequest = new ContainerType(
  {
    shard: Uint64,
    height: Uint64,
    root: Bytes32Type,
    /** None: from the first leaf on. */
    after: new ListCompositeType(StatePosition, 1),
  },
  { typeName: 'StateRequest', jsonCase: 'eth2' },
);

/** One frame of an answer. */
export const StateFrame = new ContainerType(
  { kind: Uint8, chunk: byteList(CHUNK_BYTES_MAX) },
  { typeName: 'StateFrame', jsonCase: 'eth2' },
);

/** Which state: of a shard as it is after the block at this height. */
export interface StateName {
  readonly shard: number;
  readonly height: number;
  readonly root: Bytes32;
}

/**
 * What a frame says: here are leaves; there are no more; that version is not here, or not any more; not now. Each but the first ends its
 * answer. An answer that ends with leaves is to be continued.
 */
export type StateAnswer =
  | { readonly kind: 'chunk'; readonly chunk: Uint8Array }
  | { readonly kind: 'end' }
  | { readonly kind: 'not-held' }
  | { readonly kind: 'busy' };

const KINDS = ['chunk', 'end', 'not-held', 'busy'] as const;
const NO_CHUNK = new Uint8Array(0);

/** The question. */
export function encodeStateRequest({ shard, height, root }: StateName, after: ExportPosition | undefined): Uint8Array {
  const position = after === undefined ? [] : [{ key: after.key, slot: after.slot === undefined ? [] : [after.slot] }];
  return StateRequest.serialize({ shard, height, root, after: position });
}

/** Reads a question of a peer. */
export function decodeStateRequest(
  bytes: Uint8Array,
): Verdict<{ readonly name: StateName; readonly after: ExportPosition | undefined }, 'malformed' | 'not-canonical' | 'no-shard'> {
  const decoded = decodeCanonical(StateRequest, bytes);
  if (!decoded.ok) return decoded;
  const {
    after: [position],
    ...name
  } = decoded.value;
  if (!isShardId(name.shard)) return refuse('no-shard', `shard ${name.shard}`);
  return accept({ name, after: position === undefined ? undefined : { key: position.key, slot: position.slot[0] } });
}

/** A frame of an answer. */
export function encodeStateFrame(answer: StateAnswer): Uint8Array {
  return StateFrame.serialize({ kind: KINDS.indexOf(answer.kind), chunk: answer.kind === 'chunk' ? answer.chunk : NO_CHUNK });
}

/** Reads a frame of a peer's answer. What is in a chunk is looked at by whoever takes it in. */
export function decodeStateFrame(bytes: Uint8Array): Verdict<StateAnswer, 'malformed' | 'not-canonical' | 'unknown-kind' | 'wrong-chunk'> {
  const decoded = decodeCanonical(StateFrame, bytes);
  if (!decoded.ok) return decoded;
  const { kind: kindNumber, chunk } = decoded.value;
  const kind = KINDS[kindNumber];
  if (kind === undefined) return refuse('unknown-kind', `kind ${kindNumber}`);
  if ((kind === 'chunk') !== chunk.length > 0) return refuse('wrong-chunk', `${chunk.length} bytes with ${kind}`);
  return accept(kind === 'chunk' ? { kind, chunk } : { kind });
}
