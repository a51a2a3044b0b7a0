// What is left of a shard that was split or merged (protocol, section 6: closing): its versions up to then, which stay readable until a
// successor forgets its own past beyond them. A shard id may come back later, so the row names the height at which it was closed; each names
// the one before.
//
// The flat rows of the shard's range are its successors' from then on, so its versions are read from the tree. The pages that lay above the
// successors' roots serve nothing but these versions: their keys are in the row, and go with it.
import { invariant } from '../primitives/errors.ts';
import type { ChainId, Height } from '../primitives/ids.ts';
import { RowReader, RowWriter } from './row-encoding.ts';
import { closedRowKey, kindRange, placeOfClosedRow, STATE_ROW } from './row-keys.ts';
import { readLastClosed } from './shard-head.ts';
import type { RowOperation, StateRows } from './state-rows.ts';

/** A shard's versions from one start to the next split or merge. */
export interface ClosedLife {
  readonly shard: ChainId;
  /** Its last version. */
  readonly end: Height;
  readonly oldest: Height;
  readonly pruned: Height;
  /** When the same shard was closed before, if that is still there. */
  readonly endBefore: Height | undefined;
  /** Its versions are forgotten; what is left of their rows is being removed. */
  readonly isForgotten: boolean;
  /** Rows of nodes that no other shard has a use for. */
  readonly nodeKeys: readonly Uint8Array[];
}

const KEPT = 0;
const FORGOTTEN = 1;
const LIVES_MAX = Number.MAX_SAFE_INTEGER;

const writer = new RowWriter();

/** The operation that writes a life's row. */
export function closedLifeRow(life: ClosedLife): RowOperation {
  return { type: 'put', key: closedRowKey(life.shard, life.end), value: encodeClosedLife(life) };
}

/** The row of a life; its key says whose. */
export function encodeClosedLife({ oldest, pruned, endBefore, isForgotten, nodeKeys }: ClosedLife): Uint8Array {
  writer.byte(isForgotten ? FORGOTTEN : KEPT);
  writer.varint(oldest);
  writer.varint(pruned);
  // Heights begin at 0, so one more stands for one.
  writer.varint(endBefore === undefined ? 0 : endBefore + 1);
  for (const key of nodeKeys) writer.blob(key);
  return writer.finish();
}

/** The life that a row under this key says. */
export function decodeClosedLife(key: Uint8Array, row: Uint8Array): ClosedLife {
  const reader = new RowReader(row);
  const state = reader.byte();
  invariant(state === KEPT || state === FORGOTTEN, 'a life is kept or forgotten');
  const oldest = reader.varint();
  const pruned = reader.varint();
  const before = reader.varint();
  const nodeKeys: Uint8Array[] = [];
  while (!reader.isAtEnd) nodeKeys.push(reader.blob());
  const endBefore = before === 0 ? undefined : before - 1;
  return { ...placeOfClosedRow(key), oldest, pruned, endBefore, isForgotten: state === FORGOTTEN, nodeKeys };
}

/** The life of a shard that was closed at a height. */
export function closedLifeAt(rows: StateRows, shard: ChainId, end: Height): ClosedLife | undefined {
  const key = closedRowKey(shard, end);
  const row = rows.get(key);
  return row && decodeClosedLife(key, row);
}

/** The life of a shard that has a version at `height`, as far as it is kept. */
export function closedLifeWith(rows: StateRows, shard: ChainId, height: Height): ClosedLife | undefined {
  let end = readLastClosed(rows, shard);
  while (end !== undefined && end >= height) {
    const life = closedLifeAt(rows, shard, end);
    if (life === undefined || life.isForgotten) return undefined;
    if (life.oldest <= height) return life;
    end = life.endBefore;
  }
  return undefined;
}

/** All of them: as many as there were splits and merges within the window that is kept. */
export async function closedLives(rows: StateRows): Promise<readonly ClosedLife[]> {
  const lives: ClosedLife[] = [];
  for await (const { key, value } of rows.iterate({ ...kindRange(STATE_ROW.closed), limit: LIVES_MAX })) {
    lives.push(decodeClosedLife(key, value));
  }
  return lives;
}
