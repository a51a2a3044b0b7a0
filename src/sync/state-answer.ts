// What one answer of a peer says of a state that is fetched: everything that shows by itself, so that whoever gives it is to blame for it. The
// leaves follow those that the question named, ascend, and are the shard's; each chunk is well formed (core/state/state-chunk.ts). That none
// is missing or made up shows in the root alone, when all are there.
import { bytesEqual, compareBytes } from '../core/primitives/bytes.ts';
import { accept, refuse, type Verdict } from '../core/primitives/verdict.ts';
import type { ExportPosition } from '../core/state/export-leaves.ts';
import { decodeStateChunk, endOfChunk, type StateChunk } from '../core/state/state-chunk.ts';
import { holdsKey, type Subtree } from '../core/state/subtree.ts';
import { ANSWER_CHUNKS_MAX, decodeStateFrame, FOLLOWED_CHUNK_BYTES_MIN } from './state-protocol.ts';

/** How far a fetch has come. */
export interface StateProgress {
  /** Behind this leaf it goes on; undefined at the beginning. */
  readonly after: ExportPosition | undefined;
  /** The last chunk had room for what should have followed: nothing follows. */
  readonly isLastShort: boolean;
}

/** Leaves and whether they are the last ones; or that there are none to be had here, for now (`busy`) or at all. */
export type StateAnswerRead =
  | { readonly kind: 'leaves'; readonly chunks: readonly Uint8Array[]; readonly hasEnded: boolean; readonly progress: StateProgress }
  | { readonly kind: 'not-held' | 'busy' };

/** What no honest peer sends. */
export type StateAnswerFault =
  | 'bad-frame'
  | 'bad-chunk'
  | 'frames-after-the-end'
  | 'too-many-chunks'
  | 'short-chunk'
  | 'wrong-position'
  | 'foreign-leaf';

/** The frames of an answer; one without frames says nothing, and is no answer. */
export function readStateAnswer(
  frames: readonly Uint8Array[],
  subtree: Subtree,
  before: StateProgress,
): Verdict<StateAnswerRead, StateAnswerFault> {
  const chunks: Uint8Array[] = [];
  let progress = before;
  for (const [index, frame] of frames.entries()) {
    const decoded = decodeStateFrame(frame);
    if (!decoded.ok) return refuse('bad-frame', decoded.detail);
    const { value: said } = decoded;
    if (said.kind === 'chunk') {
      if (chunks.length === ANSWER_CHUNKS_MAX) return refuse('too-many-chunks', `more than ${ANSWER_CHUNKS_MAX}`);
      const next = progressBehind(said.chunk, subtree, progress);
      if (!next.ok) return next;
      progress = next.value;
      chunks.push(said.chunk);
      continue;
    }
    if (index !== frames.length - 1) return refuse('frames-after-the-end', `${frames.length - 1 - index} after ${said.kind}`);
    // Pruned in the middle of the answer: what came before is of no use at a peer that has no more.
    return accept(said.kind === 'end' ? { kind: 'leaves', chunks, hasEnded: true, progress } : { kind: said.kind });
  }
  return accept(chunks.length === 0 ? { kind: 'busy' } : { kind: 'leaves', chunks, hasEnded: false, progress });
}

function progressBehind(bytes: Uint8Array, subtree: Subtree, before: StateProgress): Verdict<StateProgress, StateAnswerFault> {
  if (before.isLastShort) return refuse('short-chunk', 'the chunk before had room for more');
  const decoded = decodeStateChunk(bytes);
  if (!decoded.ok) return refuse('bad-chunk', decoded.detail);
  const chunk = decoded.value;
  if (!follows(chunk, before.after)) return refuse('wrong-position', 'leaves follow those that are there');
  if (!chunk.leaves.every(({ key }) => holdsKey(subtree, key))) return refuse('foreign-leaf', `a leaf is not of shard ${subtree.shard}`);
  return accept({ after: endOfChunk(chunk), isLastShort: bytes.length < FOLLOWED_CHUNK_BYTES_MIN });
}

// The chunk begins behind the position: with the next leaf, or with more slots of the last one.
function follows({ continues, leaves }: StateChunk, after: ExportPosition | undefined): boolean {
  const [first] = leaves;
  if (first === undefined) return false;
  if (!continues) return after === undefined || compareBytes(after.key, first.key) < 0;
  const [slot] = first.slots;
  if (after === undefined || slot === undefined || !bytesEqual(after.key, first.key)) return false;
  return after.slot === undefined || compareBytes(after.slot, slot.key) < 0;
}
