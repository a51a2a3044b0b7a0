// A process that runs schedules for another, which started it: one job in, one result out, until that other goes.
import type { ScheduleReport } from './schedule.ts';
import { prepareJobs, type RunJob, type ScheduleJob } from './schedule-job.ts';
import type { ScheduleResult } from './swarm.ts';

/** What a worker answers. */
export type WorkerAnswer = { readonly result: ScheduleResult } | { readonly failure: string };

process.on('disconnect', () => process.exit());
process.on('SIGINT', () => undefined); // From a terminal it comes to all processes; the one that started us says when to end.
// Whatever is thrown beside a job is the simulator's fault; 1 would look like a verdict.
process.on('uncaughtException', (error) => answer({ failure: describe(error) }, () => process.exit(2)));

const prepared = prepareJobs();
process.on('message', (job: ScheduleJob) => {
  prepared
    .then((run: RunJob) => run(job))
    .then(
      (report) => answer({ result: withoutLog(report) }),
      (error: unknown) => answer({ failure: describe(error) }),
    );
});

function answer(said: WorkerAnswer, then: () => void = () => undefined): void {
  process.send?.(said, then);
}

function withoutLog({ eventLog: _eventLog, ...result }: ScheduleReport): ScheduleResult {
  return result;
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? String(error)) : String(error);
}
