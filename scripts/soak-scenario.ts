// A soak that goes on with what a system test does a few times: its options, its line in the file, and what it was asked for where it broke off.
import { parseOptions, recordSoak, runSoak, SOAK_FILE } from './soak-record.ts';

/** What a scenario says at its end. */
export interface ScenarioEnd {
  readonly figures: Readonly<Record<string, unknown>>;
  /** The promise that was broken. */
  readonly failed: string | undefined;
}

/** A scenario that is ready to run. */
export interface Scenario {
  /** For the record of a run that did not come to its end. */
  readonly asked: Readonly<Record<string, number>>;
  readonly run: (say: (line: string) => void) => Promise<ScenarioEnd>;
}

/** What differs between soaks of scenarios. */
export interface ScenarioSoak<Option extends string> {
  readonly soak: string;
  readonly usage: string;
  /** Options beside `--file`, `--json` and `--help`, with their defaults. */
  readonly options: Readonly<Record<Option, string>>;
  /** Throws `UsageError` where they make no sense. */
  readonly prepare: (values: Readonly<Record<Option, string>>) => Scenario;
}

/** Runs it with the options of this process, and sets the exit code. */
export function soakScenario<Option extends string>({ soak, usage, options, prepare }: ScenarioSoak<Option>): Promise<void> {
  return runSoak(usage, async () => {
    const own = Object.entries<string>(options).map(([name, text]) => [name, { type: 'string', default: text }] as const);
    const { file, json, help, ...values } = parseOptions({
      ...Object.fromEntries(own),
      file: { type: 'string', default: SOAK_FILE },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    });
    if (help) {
      console.log(usage);
      return 0;
    }
    const { asked, run } = prepare(values as Record<Option, string>);
    return recordSoak({ soak, file, json }, async () => {
      const { figures, failed } = await run((line) => process.stderr.write(`${line}\n`));
      return failed === undefined ? { exitCode: 0, figures } : { exitCode: 1, figures: { ...asked, ...figures }, failed };
    });
  });
}
