// Queues and memory of a node stay under their bounds. What production code asserts of itself is looked at from outside after each event. What grows with what
// others say or with a chain that stands still is held, once for each beacon block, against what the node's own beacon state and the network's parameters say that
// it can be: not against the constants that keep it so.
import { EVIDENCE_EPOCHS } from '../../core/beacon/epoch.ts';
import { epochOfHeight } from '../../core/beacon/epochs.ts';
import type { BeaconState } from '../../core/beacon/state.ts';
import type { ChainId, Height } from '../../core/primitives/ids.ts';
import { CROSSLINK_BYTES_MAX } from '../../core/protocol/limits.ts';
import type { NetworkParameters } from '../../core/protocol/parameters.ts';
import type { Node } from '../../node/create-node.ts';
import { chainsOf } from '../chains-of.ts';
import { chainName } from '../timeline/story.ts';
import type { Report } from './violation.ts';

/** As in chain-runner.ts, chain-blocks.ts and commit-writer.ts: what their own assertions hold, seen from outside. */
const MAILBOX_MAX = 8_192;
const BLOCKS_HELD_MAX = 1_024;
const COMMITS_WAITING_MAX = 4_096;
/** The shares of a node's mempools are rounded up. */
const SHARDS_MAX = 64;
/** Beacon blocks for which what is read may be there still: clients may be shown a chain that is so far behind, and what is let go of is so at the next. */
const READ_BLOCKS_MAX = 20;
/** Kinds of evidence. */
const EVIDENCE_KINDS = 5;
/** Epochs of which a validator has signing records beside those whose evidence counts: the present, the next, and the oldest until the turn of the next. */
const OTHER_EPOCHS = 3;
/** Gas of the cheapest transaction. */
const TRANSACTION_GAS_MIN = 21_000;

/** How far a node had come when a beacon block was its newest. */
interface Known {
  readonly height: Height;
  /** By source, the height below which every shard has read all, as of that block. */
  readonly readTo: ReadonlyMap<ChainId, Height>;
  /** By source, the newest block whose sendings the node had by then. */
  readonly committed: ReadonlyMap<ChainId, Height>;
}

/** See the file's head. */
export class Bounds {
  readonly #report: Report;
  readonly #parameters: () => NetworkParameters | undefined;
  /** By node: its newest beacon blocks, the oldest first. */
  readonly #known = new Map<string, Known[]>();
  readonly #looked = new Map<string, BeaconState>();

  constructor(report: Report, parameters: () => NetworkParameters | undefined) {
    this.#report = report;
    this.#parameters = parameters;
  }

  /** A node has started: what it holds is what it found on its disk. */
  restarted(name: string): void {
    this.#known.delete(name);
    this.#looked.delete(name);
  }

  /** Looks at an honest node, after each event. */
  look(name: string, node: Node, signingRecords: () => number): void {
    const parameters = this.#parameters();
    if (parameters === undefined) return;
    this.#checkChains(name, node);
    const { transactions, bytes } = node.transactions.size;
    if (transactions > parameters.mempoolTransactionsMax + SHARDS_MAX || bytes > parameters.mempoolBytesMax + SHARDS_MAX)
      this.#report('bounds', name, `${transactions} transactions of ${bytes} bytes wait in its mempools`);
    const { newest: state } = node.window;
    if (this.#looked.get(name) === state) return;
    this.#looked.set(name, state);
    this.#checkByBeacon(name, node, state, parameters);
    this.#checkRecords(name, state, parameters, signingRecords());
    if (node.view !== undefined) this.#checkBundles(name, node, state, parameters);
  }

  #checkChains(name: string, node: Node): void {
    for (const { instance, runner, blocks, commits } of chainsOf(node)) {
      const where = `in ${chainName(instance.chain)}`;
      if (runner.mailboxLength > MAILBOX_MAX) this.#report('bounds', name, `${runner.mailboxLength} events wait ${where}`);
      if (blocks.size > BLOCKS_HELD_MAX) this.#report('bounds', name, `${blocks.size} blocks are held ${where}`);
      if (commits.waiting > COMMITS_WAITING_MAX) this.#report('bounds', name, `${commits.waiting} commits wait ${where}`);
    }
  }

  // Of each record one crosslink, of each validator and kind one piece of evidence in an instance, one instance of a chain in an epoch.
  #checkByBeacon(name: string, { crosslinks, evidence, window, shards }: Node, state: BeaconState, parameters: NetworkParameters): void {
    const records = state.records.length;
    if (crosslinks.keptBytes > records * CROSSLINK_BYTES_MAX)
      this.#report('bounds', name, `${crosslinks.keptBytes} bytes of crosslinks for ${records} records`);
    const piecesMax = EVIDENCE_KINDS * state.validators.length * (epochOfHeight(state.height, parameters) + 1 + OTHER_EPOCHS);
    for (const chain of [0, ...state.records.map(({ record }) => record.shard)]) {
      const pieces = evidence.of(chain).length;
      if (pieces > piecesMax) this.#report('bounds', name, `${pieces} pieces of evidence of ${chainName(chain)}`);
    }
    if (window.waiting > BLOCKS_HELD_MAX * (shards.chains.size + 1))
      this.#report('bounds', name, `${window.waiting} blocks wait for the beacon`);
  }

  #checkRecords(name: string, state: BeaconState, parameters: NetworkParameters, signingRecords: number): void {
    // Instances that have not ended are open, however old.
    const oldest = Math.min(...state.records.map(({ record }) => record.epoch));
    const epochs = EVIDENCE_EPOCHS + OTHER_EPOCHS + Math.max(0, epochOfHeight(state.height, parameters) - oldest);
    const recordsMax = epochs * (state.records.length + 1);
    if (signingRecords > recordsMax) this.#report('bounds', name, `${signingRecords} signing records, of ${epochs} epochs at most`);
  }

  #checkBundles(name: string, node: Node, state: BeaconState, parameters: NetworkParameters): void {
    const known = this.#known.get(name) ?? [];
    this.#known.set(name, known);
    const sources = state.records.map(({ record }) => record.shard);
    const committed = new Map(sources.map((source) => [source, node.shards.statesOf(source).committed().height]));
    known.push({ height: state.height, readTo: readTo(state), committed });
    while ((known[1]?.height ?? state.height) <= state.height - READ_BLOCKS_MAX) known.shift();
    const [past] = known;
    let underWay = 0;
    for (const { source, height, bundles } of node.shards.bundles.anchoredBundles()) {
      for (const { messages } of bundles) underWay += messages.length;
      if (past === undefined || past.height > state.height - READ_BLOCKS_MAX || height > (past.committed.get(source) ?? 0)) continue;
      if (height < (past.readTo.get(source) ?? 0))
        this.#report(
          'bounds',
          name,
          `keeps what block ${height} of ${chainName(source)} sent, which all had read at beacon block ${past.height}`,
        );
    }
    const shown = node.view?.head.world.versions;
    const unshown = sources.reduce((sum, source) => sum + (committed.get(source) ?? 0) - (shown?.get(source)?.height ?? 0), 0);
    const inFlightMax = underWay + (unshown + sources.length) * Math.ceil(parameters.blockGasLimit / TRANSACTION_GAS_MIN);
    if (node.inFlight.size > inFlightMax)
      this.#report(
        'bounds',
        name,
        `${node.inFlight.size} transactions in flight: ${underWay} messages are, and ${unshown} blocks are not shown`,
      );
  }
}

// A record without a cursor for a source has read nothing of it.
function readTo({ records, sources }: BeaconState): ReadonlyMap<ChainId, Height> {
  return new Map(
    sources.map(({ shard }) => {
      const cursors = records.map(({ progress }) => progress.cursors.filter(({ source }) => source === shard));
      const isMissing = cursors.some((own) => own.length === 0);
      return [shard, isMissing ? 0 : Math.min(...cursors.flat().map(({ height }) => height))];
    }),
  );
}
