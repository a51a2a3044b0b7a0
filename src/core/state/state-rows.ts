// What the state needs of a database, as a port: the shell gives it classic-level, tests and the simulator a map in memory. Reads of
// one row are synchronous, because the EVM reads in its innermost loop; writes are never done here: the state hands out
// operations, and the caller joins those of one block with the block's other rows in one atomic batch.

/** One row to write or to remove. A batch of them is applied wholly or not at all. */
export type RowOperation =
  | { readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: 'delete'; readonly key: Uint8Array };

/** A stored row. */
export interface Row {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** Keys from `gte` on, below `lt`, in lexicographic order (the other way round with `reverse`), at most `limit`. */
export interface RowRange {
  readonly gte: Uint8Array;
  readonly lt: Uint8Array;
  readonly reverse?: boolean;
  readonly limit: number;
}

/** Read access to rows. */
export interface StateRows {
  get(key: Uint8Array): Uint8Array | undefined;
  iterate(range: RowRange): AsyncIterable<Row>;
}
