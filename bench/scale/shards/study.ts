// The study of shards: each number of shards in one row, with signatures checked on the main thread, as nodes do it now, and on threads of their own.
import { installHashtree } from '../../../src/runtime/native/ssz-hashtree.ts';
import { committeeInstance, MAINNET } from '../committee.ts';
import { measureCosts } from '../costs.ts';
import { type BeaconCosts, measureBeaconCosts } from './beacon-costs.ts';
import { type ConsensusLoad, consensusLoadOf } from './consensus-load.ts';
import { type NetworkFigures, runNetwork } from './network.ts';
import { measureTransferCosts, type TransferCosts } from './transfer-costs.ts';

/** One number of shards. */
export interface StudyRow extends NetworkFigures {
  /** Of S times what one shard does in the same study. */
  readonly ofLinear: number;
}

/** What a study takes. */
export interface StudyOptions {
  /** Ascending, powers of two, one first: the others are held against it. */
  readonly shards: readonly number[];
  readonly committee: number;
  readonly beaconIntervalMs: number;
  /** Least times between blocks of a shard: a study for each. */
  readonly shardIntervalsMs: readonly number[];
  readonly seconds: number;
  readonly onRow: (row: StudyRow) => void;
}

/** Everything that was measured and came of it. */
export interface Study {
  readonly transfer: TransferCosts;
  readonly beacon: Readonly<Record<number, { readonly costs: BeaconCosts; readonly consensus: ConsensusLoad }>>;
  readonly rows: readonly StudyRow[];
}

const SEED = 1;

/** See the file's head. */
export async function runStudy({ shards, committee, beaconIntervalMs, shardIntervalsMs, seconds, onRow }: StudyOptions): Promise<Study> {
  await installHashtree({ disableNative: false });
  const parameters = { ...MAINNET, committeeSeats: committee, beaconBlockIntervalMsMin: beaconIntervalMs };
  const transfer = await measureTransferCosts();
  const ofCommittee = committeeInstance(committee);
  const committeeCosts = measureCosts(ofCommittee);
  const shardConsensus = consensusLoadOf(ofCommittee, committeeCosts);
  const measured = shards.map((count) => {
    const everybody = committeeInstance(count * committee);
    return {
      count,
      costs: measureBeaconCosts(count, committee, parameters),
      consensus: count === 1 ? shardConsensus : consensusLoadOf(everybody, measureCosts(everybody)),
    };
  });
  const rows: StudyRow[] = [];
  const kinds = shardIntervalsMs.flatMap((intervalMs) => [false, true].map((hasVerifierThreads) => ({ intervalMs, hasVerifierThreads })));
  for (const { intervalMs, hasVerifierThreads } of kinds) {
    let one: NetworkFigures | undefined;
    for (const { count, costs, consensus } of measured) {
      const figures = runNetwork({
        shards: count,
        committee,
        parameters: { ...parameters, blockIntervalMsMin: intervalMs },
        transfer,
        beacon: costs,
        shardConsensus,
        beaconConsensus: consensus,
        verifyCertificateMs: committeeCosts.verifyCertificate,
        hasVerifierThreads,
        seconds,
        seed: SEED,
      });
      one ??= figures;
      const row = { ...figures, ofLinear: figures.completedPerSecond / (count * one.completedPerSecond) };
      rows.push(row);
      onRow(row);
    }
  }
  return { transfer, beacon: Object.fromEntries(measured.map(({ count, ...rest }) => [count, rest])), rows };
}
