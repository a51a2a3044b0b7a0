// What checks find: which property of the protocol's section 1 does not hold, when, and where.
import type { TimestampMs } from '../../core/primitives/ids.ts';

/** The properties by their names in docs/protocol.md, and two that every program must have. */
export type Property =
  | 'agreement'
  | 'validity'
  | 'determinism'
  | 'conservation'
  | 'exactly-once'
  | 'layout-independence'
  | 'durability'
  | 'accountability'
  | 'liveness'
  /** A node met something that its own code promises cannot be. */
  | 'no-fault'
  /** Queues and memory stay under their bounds. */
  | 'bounds';

/** One finding. */
export interface Violation {
  readonly property: Property;
  readonly atMs: TimestampMs;
  /** The node where it shows; undefined where it is between nodes. */
  readonly node: string | undefined;
  readonly detail: string;
}

/** Takes what a check found. */
export type Report = (property: Property, node: string | undefined, detail: string) => void;
