// The engine does what the formal model in spec/ does, action by action. Mutated engines do not, which shows that the comparison sees
// something.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Quint } from '../../scripts/quint.ts';
import { modelIn } from '../../scripts/spec-explorations.ts';
import { ENGINE_MUTANTS, loadMutant, NO_MUTANT } from './engine-mutants.ts';
import { actionsOfConsensus, countActions } from './model-actions.ts';
import { type Engine, replay } from './model-replay.ts';
import { type ModelState, readTrace } from './model-trace.ts';

const SEED = 7;
const TRACES = 16;
const STEPS = 70;
/** Of an instance that ends with its first block. */
const TRACES_TO_THE_END = 10;
/** For each end in the trace, whether it is the CC of a carrier that brought it. */
function endsIn(trace: readonly ModelState[]): readonly boolean[] {
  return trace.slice(1).flatMap(({ nodes, blocks, last, setup }) => {
    const commits = nodes.find(([member]) => member === last.node)?.[1].out.commits ?? [];
    const isEnd = last.name !== 'propose-byzantine' && commits.some((block) => blocks[block]?.height === setup.closingHeight);
    if (!isEnd) return [];
    const certified = [last.certificate.block, last.qc.block];
    return [certified.some((block) => block !== 0 && !commits.includes(block))];
  });
}

describe('the engine, beside the formal model', () => {
  const folder = mkdtempSync(join(tmpdir(), 'coppice-traces-'));
  const traces: (readonly ModelState[])[] = [];

  before(async () => {
    const written = (name: string) => ['--backend', 'typescript', '--seed', `${SEED}`, '--out-itf', join(folder, `${name}_{seq}.itf.json`)];
    const budget = (count: number) => [
      '--max-samples',
      `${count}`,
      '--n-traces',
      `${count}`,
      '--max-steps',
      `${STEPS}`,
      '--verbosity',
      '1',
    ];
    const file = modelIn('spec');
    const quint = new Quint();
    const outputs = await Promise.all([
      quint.output(['test', file, '--main', 'scenarios', ...written('{test}')]),
      quint.output(['run', file, '--main', 'instances', '--init', 'initToReplay', ...budget(TRACES), ...written('random')]),
      quint.output([
        'run',
        file,
        '--main',
        'instances',
        '--init',
        'initToReplayTheEnd',
        ...budget(TRACES_TO_THE_END),
        ...written('ending'),
      ]),
    ]);
    quint.close();
    for (const file of readdirSync(folder).sort()) {
      const trace = readTrace(readFileSync(join(folder, file), 'utf8'));
      if (trace[0]?.setup.rulesOff.length === 0) traces.push(trace); // The engine keeps all rules.
    }
    assert.ok(traces.length > TRACES + TRACES_TO_THE_END, `${traces.length} traces; the tool said:\n${outputs.join('\n')}`);
  });

  after(() => rmSync(folder, { recursive: true }));

  const partsFromTheModel = (engine: Engine): unknown => {
    for (const trace of traces) {
      try {
        replay(engine, trace);
      } catch (error) {
        return error;
      }
    }
    return undefined;
  };

  it(`remembers, signs and commits the same after every action, from seed ${SEED}`, async () => {
    assert.equal(partsFromTheModel(await loadMutant(NO_MUTANT, ENGINE_MUTANTS.length)), undefined);
  });

  it('is taken through every action of the model', (context) => {
    const actions = actionsOfConsensus();
    const counts = countActions(
      actions,
      traces.flatMap((trace) => trace.slice(1).map(({ last }) => last.name)),
    );
    context.diagnostic([...counts].map(([action, count]) => `${action} ${count}`).join(', '));
    assert.deepEqual(new Set(counts.keys()), actions, 'what happens in traces is named in the model');
    for (const [action, count] of counts) assert.ok(count > 0, `no trace has the action ${action}`);
  });

  it('is taken to the end of its instance, by the CC of the closing block and by one of a carrier', (context) => {
    const ends = traces.flatMap((trace) => endsIn(trace));
    const byCarrier = ends.filter((isByCarrier) => isByCarrier).length;
    context.diagnostic(`${ends.length} ends, ${byCarrier} by a carrier`);
    assert.ok(byCarrier > 0 && byCarrier < ends.length);
  });

  for (const [number, mutant] of ENGINE_MUTANTS.entries()) {
    it(`does not pass for the model when it is made to ${mutant.what}`, async () => {
      assert.ok(partsFromTheModel(await loadMutant(mutant, number)) instanceof Error, 'no trace told the mutant from the engine');
    });
  }
});
