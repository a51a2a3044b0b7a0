// The kill -9 test for many rounds. Appends one line of what was checked, and of what was lost, to docs/soak.jsonl.
import { runKillRounds } from '../test/system/kill9-scenario.ts';
import { wholeNumber } from './soak-record.ts';
import { soakScenario } from './soak-scenario.ts';

const USAGE = `usage: npm run soak:kill9 -- [--rounds 20] [--file docs/soak.jsonl] [--json]

Kills one validator of four, then all four, with kill -9 under load, again and again, and checks that nothing final is lost.
Ends with exit code 1 at the first broken promise; appends what was done, compared and lost to docs/soak.jsonl either way.`;

const ROUNDS_MAX = 100_000;

await soakScenario({
  soak: 'kill9',
  usage: USAGE,
  options: { rounds: '20' },
  prepare: (values) => {
    const rounds = wholeNumber('rounds', values.rounds, 1, ROUNDS_MAX);
    return {
      asked: { roundsAsked: rounds },
      run: async (say) => {
        const { failed, ...figures } = await runKillRounds(rounds, {}, say);
        return { figures, failed };
      },
    };
  },
});
