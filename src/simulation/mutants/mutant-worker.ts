// A process that runs the tasks of mutants for another, which started it, one after the other: what is loaded and compiled once serves all of them.
// A schedule that a violation ended may leave words behind that nobody waits for; a process that ends in a later task has that task run again alone.
import { loadFor } from './load-hook.ts';
import type { Findings, Task } from './run-task.ts';

/** A task of a mutant; of none where its name is empty. */
export interface Order {
  readonly mutant: string;
  readonly task: Task;
}

process.on('disconnect', () => process.exit());
process.on('message', ({ mutant, task }: Order) => {
  loadFor(mutant)
    .then(({ runTask }) => runTask(task))
    .then(
      (findings: Findings) => process.send?.(findings),
      (error: unknown) => {
        console.error(error instanceof Error ? (error.stack ?? String(error)) : String(error));
        process.exit(1);
      },
    );
});
