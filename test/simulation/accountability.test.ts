// Accountability in worlds of whole nodes. The swarm checks in every schedule that nobody honest is accused and that whoever contradicts
// himself in the ears of an honest node is; here are schedules whose dishonest validators do so, as few as bear it and too many.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { readPreset } from '../../src/node/genesis-file.ts';
import { selectCrypto } from '../../src/runtime/native/select-crypto.ts';
import { runBeyondThird } from '../../src/simulation/beyond-third.ts';
import { runSchedule } from '../../src/simulation/schedule.ts';
import { standInCrypto } from '../../src/simulation/stand-in-crypto.ts';
import { prepareHashes } from './hashes.ts';

const BEARABLE = 3;
const BEYOND = 6;
/** Where agreement broke and nobody was accused, because the nodes never compared their chains; and, in 105, only one of two was. */
const CHAINS_NOT_COMPARED = [13, 18, 105];
const standIns = standInCrypto;
const preset = readPreset('devnet');

describe('accountability', () => {
  before(() => prepareHashes());

  for (const strategy of ['twin', 'two-faced'] as const) {
    it(`finds one ${strategy} validator of four in each of ${BEARABLE} schedules`, async () => {
      let contradictions = 0;
      for (let seed = 1; seed <= BEARABLE; seed++) {
        const validator = seed % 4;
        const report = await runSchedule({ seed, nodes: 4, crypto: standIns(), preset, dishonest: [{ validator, strategy }] });
        assert.equal(report.violation, undefined, `seed ${seed}`);
        // A twin says the same as its other self where nothing parts them; two faces show in every round.
        if (strategy === 'two-faced' || report.contradictions > 0) assert.deepEqual(report.accused, [validator], `seed ${seed}`);
        else assert.ok(report.accused.every((accused) => accused === validator));
        contradictions += report.accused.length;
      }
      assert.ok(contradictions >= BEARABLE / 2, `${contradictions} were accused`);
    });
  }

  it(`accuses a third of the seats wherever agreement breaks, in ${BEYOND} schedules with two dishonest of four`, async () => {
    let disagreements = 0;
    for (const seed of [...Array.from({ length: BEYOND }, (_unused, place) => 200 + place), ...CHAINS_NOT_COMPARED]) {
      const report = await runBeyondThird({ seed, nodes: 4, crypto: standIns(), preset });
      assert.equal(report.violation, undefined, `seed ${seed}`);
      const traitors = report.dishonest.map(({ validator }) => validator).sort();
      if (report.disagreement === undefined) continue;
      disagreements++;
      assert.deepEqual(report.accused, traitors, `seed ${seed}`);
    }
    assert.ok(disagreements >= BEYOND / 3, `agreement broke ${disagreements} times`);
  });

  it('does so with seven validators, and with real signatures', async () => {
    const seven = await runBeyondThird({ seed: 2, nodes: 7, crypto: standIns(), preset });
    assert.equal(seven.violation, undefined);
    const real = await runBeyondThird({ seed: 4, nodes: 4, crypto: selectCrypto({ disableNative: false }), preset });
    assert.equal(real.violation, undefined);
    assert.ok(real.disagreement !== undefined);
    assert.deepEqual(real.accused, [0, 2]);
  });
});
