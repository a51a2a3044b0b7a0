// The test of epochs under load for many of them. Appends one line of what was done and checked to docs/soak.jsonl.
import { runEpochs } from '../test/system/epochs-scenario.ts';
import { parseOptions, recordSoak, runSoak, SOAK_FILE, wholeNumber } from './soak-record.ts';

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

await runSoak(USAGE, main);

async function main(): Promise<number> {
  const values = parseOptions({
    epochs: { type: 'string', default: '10' },
    'epoch-blocks': { type: 'string', default: '8' },
    validators: { type: 'string', default: '8' },
    shards: { type: 'string', default: '4' },
    file: { type: 'string', default: SOAK_FILE },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const epochs = wholeNumber('epochs', values.epochs, 1, EPOCHS_MAX);
  const epochBlocks = wholeNumber('epoch-blocks', values['epoch-blocks'], EPOCH_BLOCKS_MIN, EPOCH_BLOCKS_MAX);
  const validators = wholeNumber('validators', values.validators, VALIDATORS_MIN, VALIDATORS_MAX);
  const shards = wholeNumber('shards', values.shards, 1, SHARDS_MAX);
  const overrides = { epochBlocks, takeoverGraceBlocks: GRACE_EPOCHS * epochBlocks };
  const committeeSeats = Math.min(COMMITTEE_SEATS, validators);
  return recordSoak({ soak: 'epochs', file: values.file, json: values.json }, async () => {
    const choice = { epochs, cluster: { validators, shards, committeeSeats, overrides } };
    const { brokenPromise, ...figures } = await runEpochs(choice, (line) => process.stderr.write(`${line}\n`));
    if (brokenPromise === undefined) return { exitCode: 0, figures };
    return { exitCode: 1, figures: { epochsAsked: epochs, ...figures }, failed: brokenPromise };
  });
}
