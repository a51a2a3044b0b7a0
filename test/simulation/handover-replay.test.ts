// The lanes of src/core/messaging do what the formal model of handover in spec/handover does, block by block. Where the model leaves out a rule
// of the lanes they part from it, which shows that the comparison sees something.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Quint } from '../../scripts/quint.ts';
import { modelIn } from '../../scripts/spec-explorations.ts';
import { type ReplayCounts, replayHandover } from './handover-replay.ts';
import type { HandoverState } from './handover-trace.ts';
import { actionsOfHandover, countActions } from './model-actions.ts';
import { readTrace } from './model-trace.ts';

const SEED = 7;
const INSTANCES = ['initToMerge', 'initToSplit'];
const TRACES = 6;
const STEPS = 60;
/** Rules of src/core/messaging, each left out in a schedule by hand; and one of takeover, since a record's cursors show it. */
const RULES_SEEN = [
  'taking-moves-cursor',
  'fold-at-one-place',
  'new-cursor-at-record',
  'related-sources-wait',
  'unshown-is-unread',
  'merge-joins-cursors',
  'missing-is-unread',
  'retired-stays-listed',
  'takeover-voids-body',
];

const noCounts = (): ReplayCounts => ({ blocks: 0, taken: 0, wideIndexes: 0, records: 0, retired: 0 });

describe('the lanes, beside the formal model', () => {
  const folder = mkdtempSync(join(tmpdir(), 'coppice-handover-'));
  const traces: (readonly HandoverState[])[] = [];
  const leavingOut = (rule?: string): typeof traces =>
    traces.filter(([first]) => first !== undefined && first.setup.rulesOff.join() === (rule ?? ''));

  before(async () => {
    const written = (name: string) => ['--backend', 'typescript', '--seed', `${SEED}`, '--out-itf', join(folder, `${name}_{seq}.itf.json`)];
    const budget = ['--max-samples', `${TRACES}`, '--n-traces', `${TRACES}`, '--max-steps', `${STEPS}`, '--verbosity', '1'];
    const file = modelIn('spec/handover');
    const quint = new Quint();
    const outputs = await Promise.all([
      quint.output(['test', file, '--main', 'scenarios', ...written('{test}')]),
      ...INSTANCES.map((init) => quint.output(['run', file, '--main', 'instances', '--init', init, ...budget, ...written(init)])),
    ]);
    quint.close();
    for (const file of readdirSync(folder).sort()) {
      const states = readTrace<Partial<HandoverState>>(readFileSync(join(folder, file), 'utf8'));
      // A schedule that ends with what must not happen has an empty state for it.
      traces.push(states.filter((state): state is HandoverState => state.last !== undefined));
    }
    assert.ok(leavingOut().length > INSTANCES.length * TRACES, `${traces.length} traces; the tool said:\n${outputs.join('\n')}`);
  });

  after(() => rmSync(folder, { recursive: true }));

  it(`send, take, pass and retire the same, from seed ${SEED}`, (context) => {
    const counts = noCounts();
    for (const trace of leavingOut()) replayHandover(trace, counts);
    context.diagnostic(`${leavingOut().length} traces: ${JSON.stringify(counts)}`);
    for (const [what, count] of Object.entries(counts)) assert.ok(count > 0, `no trace comes to ${what}`);
  });

  it('are taken through every action of the model', (context) => {
    const actions = actionsOfHandover();
    const counts = countActions(
      actions,
      leavingOut().flatMap((trace) => trace.slice(1).flatMap(({ last }) => last.names)),
    );
    context.diagnostic([...counts].map(([action, count]) => `${action} ${count}`).join(', '));
    assert.deepEqual(new Set(counts.keys()), actions, 'what happens in traces is named in the model');
    for (const [action, count] of counts) assert.ok(count > 0, `no trace has the action ${action}`);
  });

  for (const rule of RULES_SEEN) {
    it(`part from a model without the rule "${rule}"`, () => {
      const [trace] = leavingOut(rule);
      assert.ok(trace !== undefined, 'a schedule leaves the rule out');
      assert.throws(() => replayHandover(trace, noCounts()), assert.AssertionError);
    });
  }
});
