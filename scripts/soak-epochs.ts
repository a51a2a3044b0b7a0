// The test of epochs under load for many of them. Appends one line of what was done and checked to docs/soak.jsonl.
import { runEpochs } from '../test/system/epochs-scenario.ts';
import { wholeNumber } from './soak-record.ts';
import { soakScenario } from './soak-scenario.ts';

const USAGE = `usage: npm run soak:epochs -- [--epochs 10] [--epoch-blocks 8] [--validators 8] [--shards 4] [--file docs/soak.jsonl] [--json]

Lets epochs turn under load, kills a validator with kill -9 in each, and checks that every transaction that was sent is final, on every validator
that follows all shards alike, and that all money is there. Ends with exit code 1 at the first broken promise; appends what was done to docs/soak.jsonl either way.`;

const EPOCHS_MAX = 100_000;
const EPOCH_BLOCKS_MIN = 4;
const EPOCH_BLOCKS_MAX = 3_600;
const VALIDATORS_MIN = 4;
const VALIDATORS_MAX = 32;
const SHARDS_MAX = 16;
/** Seats of a shard's committee: a validator is in some and not in others, and follows its own; the first follows all. */
const COMMITTEE_SEATS = 4;
/** The longest that a genesis permits. */
const GRACE_EPOCHS = 8;

await soakScenario({
  soak: 'epochs',
  usage: USAGE,
  options: { epochs: '10', 'epoch-blocks': '8', validators: '8', shards: '4' },
  prepare: (values) => {
    const epochs = wholeNumber('epochs', values.epochs, 1, EPOCHS_MAX);
    const epochBlocks = wholeNumber('epoch-blocks', values['epoch-blocks'], EPOCH_BLOCKS_MIN, EPOCH_BLOCKS_MAX);
    const validators = wholeNumber('validators', values.validators, VALIDATORS_MIN, VALIDATORS_MAX);
    const shards = wholeNumber('shards', values.shards, 1, SHARDS_MAX);
    const overrides = { epochBlocks, takeoverGraceBlocks: GRACE_EPOCHS * epochBlocks };
    const committeeSeats = Math.min(COMMITTEE_SEATS, validators);
    return {
      asked: { epochsAsked: epochs },
      run: async (say) => {
        const { brokenPromise: failed, ...figures } = await runEpochs(
          { epochs, cluster: { validators, shards, committeeSeats, overrides } },
          say,
        );
        return { figures, failed };
      },
    };
  },
});
