// The worker of worker-pool.test.ts: reverses what it gets, but fails, exits or never answers when the first byte says so.

import { serveTasks } from '../../src/runtime/worker-pool.ts';
import { FAIL, HANG, QUIT } from './worker-pool-tasks.ts';

serveTasks((task) => {
  if (task[0] === FAIL) throw new Error('as asked');
  if (task[0] === QUIT) process.exit(3);
  while (task[0] === HANG);
  return task.toReversed();
});
