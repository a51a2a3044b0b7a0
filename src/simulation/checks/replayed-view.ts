// The one chain that clients see, derived again from what was followed: each view block when the executions that its beacon block made final were. A
// transaction is shown when its main call is final and every pointer of the contracts that it created (protocol, section 7): who waits for which
// pointer is kept here anew, from the results of executions.
import type { BeaconState } from '../../core/beacon/state.ts';
import { bytesToHex } from '../../core/primitives/bytes.ts';
import { invariant } from '../../core/primitives/errors.ts';
import type { Address, Bytes32, ChainId, Height, Hex, Wei } from '../../core/primitives/ids.ts';
import { StartRecord } from '../../core/protocol/committee.ts';
import type { Genesis } from '../../core/protocol/genesis.ts';
import type { StateVersion } from '../../core/state/state-version.ts';
import { type Anchor, anchorOf } from '../../core/view/anchor.ts';
import { deriveViewBlock } from '../../core/view/derive-block.ts';
import {
  type ChargedFinder,
  type ChargedTransaction,
  departedTransactions,
  type HeldTransaction,
  heldWithCharge,
  type ShownExecution,
  showExecution,
  withCharges,
} from '../../core/view/shown-execution.ts';
import { genesisTotals, type SupplyTotals } from '../../core/view/supply.ts';
import type { ViewBlock } from '../../core/view/view-block.ts';
import { WorldState } from '../../core/view/world-state.ts';
import type { ExecutedBeaconOutcome } from '../../runtime/beacon-logic.ts';
import type { ExecutedShardBlockOutcome, ShardBlockOutcome } from '../../runtime/shard-block-logic.ts';
import { stakedWei } from './money.ts';

/** What of the view is judged by. */
export interface ViewTruth {
  /** The newest. */
  readonly height: number;
  /** The block of a number, visible to clients or not yet. */
  viewAt(number: number): ViewBlock | undefined;
  /** The state of the world after it. */
  stateAt(number: number): WorldState | undefined;
  /** Where all money is after it. */
  totalsAt(number: number): SupplyTotals | undefined;
  /** The lowest nonce of a sender's transactions that are charged by a block and shown by none up to it. */
  lowestUnminedNonce(sender: Address, number: number): bigint | undefined;
}

/** A view block that was made. */
export interface MadeView {
  readonly number: number;
  /** After its beacon block. */
  readonly state: BeaconState;
  /** In the order in which they became final. */
  readonly executions: readonly (FollowedBlock & { readonly shard: ChainId })[];
  readonly world: WorldState;
  readonly worldRoot: Bytes32;
}

interface Anchored {
  readonly anchor: Anchor;
  readonly state: BeaconState;
}

/** A block that was followed, on what, and who committed it first. */
export interface FollowedBlock {
  readonly outcome: ExecutedShardBlockOutcome;
  readonly parent: ShardBlockOutcome;
  readonly name: string;
}

interface Executed extends FollowedBlock {
  readonly shown: ShownExecution;
}

/** A main call some of whose pointers are not final. */
interface Unmined {
  readonly held: HeldTransaction;
  pointersLeft: number;
}

/** A transaction, and the view blocks whose executions charged it and that shows it. */
interface Sent {
  readonly nonce: bigint;
  readonly chargedIn: number;
  shownIn: number;
}

/** See the file's head. */
export class ReplayedView implements ViewTruth {
  readonly #genesis: Genesis;
  readonly #genesisStakeWei: Wei;
  readonly #stateAt: (shard: ChainId, height: Height) => StateVersion | undefined;
  /** By number. */
  readonly #blocks: ViewBlock[] = [];
  readonly #totals: SupplyTotals[] = [];
  readonly #worlds: WorldState[] = [];
  readonly #anchors = new Map<number, Anchored>();
  /** By shard and height. */
  readonly #executed = new Map<string, Executed>();
  readonly #charged = new Map<Hex, ChargedTransaction>();
  /** By sender, then by hash. */
  readonly #sent = new Map<Hex, Map<Hex, Sent>>();
  /** By the id of the main call. */
  readonly #unmined = new Map<Hex, Unmined>();

  private constructor(genesis: Genesis, genesisStakeWei: Wei, stateAt: ReplayedView['stateOf']) {
    this.#genesis = genesis;
    this.#genesisStakeWei = genesisStakeWei;
    this.#stateAt = stateAt;
  }

  /** From the beacon's first record on, which stands for view block 0. */
  static begin(genesis: Genesis, record: StartRecord, state: BeaconState, stateAt: ReplayedView['stateOf']): ReplayedView {
    const genesisStakeWei = stakedWei(state);
    const view = new ReplayedView(genesis, genesisStakeWei, stateAt);
    const anchor = anchorOf({ hash: StartRecord.hashTreeRoot(record), seed: record.seed }, state, [], genesisStakeWei);
    view.#blocks.push(deriveViewBlock(anchor, undefined, [], genesis.parameters));
    view.#totals.push(genesisTotals(genesisStakeWei));
    view.#worlds.push(view.#worldOf(anchor));
    return view;
  }

  get height(): number {
    return this.#blocks.length - 1;
  }

  viewAt(number: number): ViewBlock | undefined {
    return this.#blocks[number];
  }

  stateAt(number: number): WorldState | undefined {
    return this.#worlds[number];
  }

  totalsAt(number: number): SupplyTotals | undefined {
    return this.#totals[number];
  }

  /** The version of a shard's state at a height. */
  stateOf(shard: ChainId, height: Height): StateVersion | undefined {
    return this.#stateAt(shard, height);
  }

  lowestUnminedNonce(sender: Address, number: number): bigint | undefined {
    let lowest: bigint | undefined;
    for (const { nonce, chargedIn, shownIn } of this.#sent.get(bytesToHex(sender))?.values() ?? [])
      if (chargedIn <= number && shownIn > number && (lowest === undefined || nonce < lowest)) lowest = nonce;
    return lowest;
  }

  /** A beacon block was followed. */
  anchored({ hash, seed, state, applied }: ExecutedBeaconOutcome): void {
    const anchor = anchorOf({ hash, seed }, state, applied.anchoredExecutions, this.#genesisStakeWei);
    this.#anchors.set(anchor.number, { anchor, state });
  }

  /** A shard's block was followed. */
  executed(shard: ChainId, height: Height, followed: FollowedBlock): void {
    const { result } = followed.outcome;
    const shown = showExecution(result);
    for (const charged of departedTransactions(result)) this.#charged.set(charged.transaction.hashHex, charged);
    this.#executed.set(`${shard}/${height}`, { ...followed, shown });
  }

  /** What was followed of a shard above a height is void. */
  voided(shard: ChainId, height: Height, newest: Height): void {
    for (let each = height + 1; each <= newest; each++) this.#executed.delete(`${shard}/${each}`);
  }

  /** Makes the next view block, if all that it shows was followed. */
  makeNext(): MadeView | undefined {
    const number = this.height + 1;
    const anchored = this.#anchors.get(number);
    if (anchored === undefined) return undefined;
    const { anchor, state } = anchored;
    const places = anchor.executions.flatMap(({ shard, fromHeight, toHeight }) =>
      Array.from({ length: toHeight - fromHeight + 1 }, (_unused, offset) => ({ shard, height: fromHeight + offset })),
    );
    const executions: (Executed & { shard: ChainId })[] = [];
    for (const { shard, height } of places) {
      const executed = this.#executed.get(`${shard}/${height}`);
      if (executed === undefined) return undefined;
      executions.push({ shard, ...executed });
    }
    if (anchor.states.some(({ shard, height }) => this.#stateAt(shard, height) === undefined)) return undefined;
    const contents = [
      ...executions.map((execution) => withCharges(execution.shown, this.#chargedFor)),
      ...this.#completeNow(executions).map((held) => heldWithCharge(held, this.#chargedFor)),
    ];
    this.#blocks.push(deriveViewBlock(anchor, this.#blocks.at(-1), contents, this.#genesis.parameters));
    const world = this.#worldOf(anchor);
    this.#worlds.push(world);
    this.#follow(number, executions);
    this.#anchors.delete(number);
    for (const { shard, height } of places) this.#executed.delete(`${shard}/${height}`);
    return { number, state, executions, world, worldRoot: anchor.worldRoot };
  }

  /** What all money comes to after the block that was made last. */
  summed(number: number, totals: SupplyTotals): void {
    invariant(number === this.#totals.length, 'sums come block by block');
    this.#totals.push(totals);
  }

  #follow(number: number, executions: readonly Executed[]): void {
    for (const { outcome } of executions)
      for (const { transaction } of outcome.result.senderParts) {
        const sender = bytesToHex(transaction.sender);
        const sent = this.#sent.get(sender) ?? new Map<Hex, Sent>();
        this.#sent.set(sender, sent);
        sent.set(transaction.hashHex, { nonce: transaction.nonce, chargedIn: number, shownIn: Number.POSITIVE_INFINITY });
      }
    for (const view of this.#blocks[number]?.transactions ?? []) {
      const sent = view.kind === 'account' ? this.#sent.get(bytesToHex(view.transaction.sender))?.get(view.transaction.hashHex) : undefined;
      if (sent !== undefined) sent.shownIn = number;
    }
  }

  #worldOf({ states }: Anchor): WorldState {
    const versions = new Map<ChainId, StateVersion>();
    for (const { shard, height } of states) {
      const version = this.#stateAt(shard, height);
      invariant(version !== undefined, 'what is anchored was followed, and nothing is pruned');
      versions.set(shard, version);
    }
    return new WorldState(versions);
  }

  readonly #chargedFor: ChargedFinder = (transactionHash) => {
    const charged = this.#charged.get(bytesToHex(transactionHash));
    invariant(charged !== undefined, 'what is final was charged by something that is');
    return charged;
  };

  // A main call waits for the pointers that it sent to other shards; those of its own are written where it runs.
  #completeNow(executions: readonly Executed[]): readonly HeldTransaction[] {
    const complete: HeldTransaction[] = [];
    for (const { outcome, shown } of executions) {
      const { messages, outbox } = outcome.result;
      for (const held of shown.held) {
        const name = bytesToHex(held.mainCallId);
        const pointersLeft = outbox.filter(({ kind, emitterId }) => kind === 'pointer' && bytesToHex(emitterId) === name).length;
        this.#unmined.set(name, { held, pointersLeft });
      }
      for (const { message, wave } of messages) {
        const name = bytesToHex(message.emitterId);
        const unmined = message.kind === 'pointer' && wave === 0 ? this.#unmined.get(name) : undefined;
        if (unmined === undefined || --unmined.pointersLeft > 0) continue;
        this.#unmined.delete(name);
        complete.push(unmined.held);
      }
    }
    return complete;
  }
}
