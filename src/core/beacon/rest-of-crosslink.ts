// What of a crosslink is new to a record. Who made it may have known an older beacon state: then its first headers are crosslinked already, and
// the rest is a crosslink of its own, because the certificates at its end cover every header alike.
import { bytesEqual } from '../primitives/bytes.ts';
import type { Crosslink } from '../protocol/crosslink.ts';
import type { Progress } from './state.ts';

/** The headers behind the last crosslinked one; undefined where there are none, or where they do not follow it. One without headers is whole. */
export function restOfCrosslink(crosslink: Crosslink, { hash }: Pick<Progress, 'hash'>): Crosslink | undefined {
  const { headers, outboxes } = crosslink;
  if (headers.length === 0) return crosslink;
  const first = headers.findIndex(({ parentHash }) => bytesEqual(parentHash, hash));
  if (first < 0) return undefined;
  return first === 0 ? crosslink : { ...crosslink, headers: headers.slice(first), outboxes: outboxes.slice(first) };
}
