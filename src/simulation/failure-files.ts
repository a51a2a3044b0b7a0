// What a failure leaves on disk for people: the schedule to run again, its timeline as text and as a page, and its event log. Whether a place
// takes them is tried before anything runs: an hour of schedules is not to end in a path that was mistyped.
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmdirSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { type CryptoChoice, type SchedulePlan, writePlan } from './plan.ts';
import { OutputError } from './result-output.ts';
import { type ScheduleReport, START_MS } from './schedule.ts';
import { timelinePage } from './timeline/page.ts';
import { readStory } from './timeline/story.ts';
import { timelineText } from './timeline/text.ts';

/** A schedule that was run, and what came of it. */
export interface ShownRun {
  readonly plan: SchedulePlan;
  readonly crypto: CryptoChoice;
  readonly report: ScheduleReport;
  /** What is said about it beside its name: how to run it again. */
  readonly about: readonly string[];
}

/** Lines of a timeline in a file; a terminal gets fewer. */
const FILE_LINES_MAX = 20_000;
const TERMINAL_LINES_MAX = 160;

/** The timeline as a terminal shows it. */
export function terminalTimeline({ eventLog }: ScheduleReport, isWhole: boolean): string {
  return timelineText(readStory(eventLog, START_MS), { isWhole, linesMax: isWhole ? FILE_LINES_MAX : TERMINAL_LINES_MAX }).join('\n');
}

/** Why no page can be written to a file, where its folder must be there already; undefined when one can. Leaves nothing behind. */
export function obstacleToPage(file: string): string | undefined {
  return obstacleIn(dirname(file), () => {
    if (existsSync(file)) {
      if (statSync(file).isDirectory()) return `${file} is a folder`;
      accessSync(file, constants.W_OK);
      return undefined;
    }
    closeSync(openSync(file, 'wx'));
    unlinkSync(file);
    return undefined;
  });
}

/** Why the files of failures cannot go into a folder, which may have to be made; undefined when they can. Leaves nothing behind. */
export function obstacleToFolder(folder: string): string | undefined {
  return obstacleIn(dirname(folder), () => {
    const isThere = existsSync(folder);
    if (isThere && !statSync(folder).isDirectory()) return `${folder} is no folder`;
    const tried = isThere ? mkdtempSync(join(folder, 'tried-')) : folder;
    if (!isThere) mkdirSync(folder);
    rmdirSync(tried);
    return undefined;
  });
}

/** Writes `scenario.json`, `timeline.html`, `timeline.txt` and `events.log` into a folder, which is made; gives the first's path. */
export function writeFailure(folder: string, run: ShownRun): string {
  const scenario = join(folder, 'scenario.json');
  written(folder, () => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(scenario, writePlan({ plan: run.plan, crypto: run.crypto, about: titleOf(run) }));
    writeFileSync(join(folder, 'timeline.txt'), `${wholeText(run.report)}\n`);
    writeFileSync(join(folder, 'events.log'), `${run.report.eventLog.join('\n')}\n`);
  });
  writePage(join(folder, 'timeline.html'), run);
  return scenario;
}

/** Writes the page of a run into a folder that is there. */
export function writePage(file: string, run: ShownRun): void {
  const { plan, crypto, report, about } = run;
  const page = timelinePage({
    story: readStory(report.eventLog, START_MS),
    title: titleOf(run),
    about: [...(report.violation === undefined ? [] : [report.violation.detail]), ...about],
    folded: [
      { summary: 'The schedule', text: writePlan({ plan, crypto, about: titleOf(run) }) },
      { summary: 'The story as text', text: wholeText(report) },
    ],
    styleSheet: readFileSync(new URL('./timeline/in-browser.css', import.meta.url), 'utf8'),
    script: readFileSync(new URL('./timeline/in-browser.js', import.meta.url), 'utf8'),
  });
  written(file, () => writeFileSync(file, page));
}

function obstacleIn(parent: string, attempt: () => string | undefined): string | undefined {
  try {
    if (!existsSync(parent)) return `there is no folder ${parent}`;
    return statSync(parent).isDirectory() ? attempt() : `${parent} is no folder`;
  } catch (error) {
    return (error as Error).message;
  }
}

// What stood in the way only afterwards: a disk that filled up, a folder that was removed.
function written(place: string, write: () => void): void {
  try {
    write();
  } catch (error) {
    throw new OutputError(`${place} could not be written: ${(error as Error).message}`);
  }
}

function wholeText({ eventLog }: ScheduleReport): string {
  return timelineText(readStory(eventLog, START_MS), { isWhole: true, linesMax: FILE_LINES_MAX }).join('\n');
}

function titleOf({ plan: { seed, nodes }, report: { violation } }: ShownRun): string {
  const name = `Seed ${seed}, ${nodes} nodes`;
  if (violation === undefined) return `${name}: no violation`;
  return `${name}: ${violation.property} violated at ${violation.atMs} ms${violation.node === undefined ? '' : ` by ${violation.node}`}`;
}
