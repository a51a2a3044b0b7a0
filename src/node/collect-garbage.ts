// One full garbage collection when a node has read a large genesis. Reading it takes some times what is kept, and an idle node would
// hold that for ever: V8 collects only as memory is asked for.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Collects all garbage now, which stops the process for up to a quarter of a second. */
export function collectGarbage(): void {
  // V8 hands out its collector to contexts made while this flag is set, and to no others.
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (options: object) => void;
  setFlagsFromString('--no-expose-gc');
  collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}
