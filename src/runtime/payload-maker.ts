// A leader's payload: waits until a block is due, makes it, and keeps its body for the header that the engine makes of it. When a block is due
// and what goes into it is for each kind of chain to say (a `PayloadSource`).
import { carrierContentOn, type HeaderContent } from '../core/consensus/carrier-content.ts';
import type { RequestPayload } from '../core/consensus/effects.ts';
import type { Payload as HeaderPayload } from '../core/consensus/events.ts';
import { seedAfter } from '../core/consensus/leader.ts';
import { bytesToHex } from '../core/primitives/bytes.ts';
import type { Bytes32, Hex, TimestampMs } from '../core/primitives/ids.ts';
import { type BlockBody, EMPTY_BODY } from '../core/protocol/block.ts';
import type { Transaction } from '../core/protocol/transaction.ts';
import type { ChainBlocks } from './chain-blocks.ts';
import type { Outcome } from './chain-logic.ts';
import type { CancelTimer, Clock } from './ports.ts';
import type { Signer } from './signer.ts';

/** Payloads kept for headers that the engine still makes of them. */
const PAYLOADS_KEPT_MAX = 8;

/** What a kind of chain decides of a block. */
export interface BlockContent {
  readonly fields: HeaderContent;
  readonly body: BlockBody;
  /** Of the body, decoded. */
  readonly transactions: readonly Transaction[];
}

/** The block that is to be made on one parent. */
export interface PayloadPlan {
  /** When it is due, as things stand. */
  dueMs(): TimestampMs;
  /** Whether the news that has just come changes that. Under load it rarely does, and to wake for each is dear. */
  isNews(): boolean;
  content(made: { readonly nowMs: TimestampMs; readonly seed: Bytes32 }): Promise<BlockContent> | BlockContent;
}

/** What goes into blocks of a kind of chain, and when. */
export interface PayloadSource<Start extends Outcome> {
  planOn(parent: Start): PayloadPlan;
  /** Told whenever something comes that could go into a block. */
  onNews(listener: () => void): void;
}

/** A payload before its header is made. */
export interface KeptPayload {
  readonly body: BlockBody;
  readonly transactions: readonly Transaction[];
  readonly parentSeed: Bytes32;
  readonly vrfOutput: Uint8Array;
}

/** What making payloads needs of its node. */
export interface PayloadMakerDependencies<Start extends Outcome, Executed extends Start> {
  readonly blocks: ChainBlocks<Start, Executed>;
  readonly source: PayloadSource<Start>;
  readonly signer: Signer;
  readonly clock: Clock;
}

/** See the file's head. */
export class PayloadMaker<Start extends Outcome = Outcome, Executed extends Start = Start> {
  readonly #dependencies: PayloadMakerDependencies<Start, Executed>;
  readonly #kept = new Map<Hex, KeptPayload>();
  #wanted: RequestPayload | undefined;
  #wake: (() => void) | undefined;
  #plan: PayloadPlan | undefined;
  #stopped = false;

  constructor(dependencies: PayloadMakerDependencies<Start, Executed>) {
    this.#dependencies = dependencies;
    dependencies.source.onNews(() => {
      if (this.#plan?.isNews() === true) this.#wake?.();
    });
  }

  /** Makes the payload when its time has come; undefined when another one is wanted by then. */
  async make(request: RequestPayload): Promise<HeaderPayload | undefined> {
    this.#wanted = request;
    this.#wake?.();
    const { blocks, signer, source, clock } = this.#dependencies;
    const parent = await blocks.outcomeOf(request.parentHash);
    const plan = request.isCarrier ? this.#carrierOn(request.parentHash) : source.planOn(parent);
    if (plan === undefined) return undefined;
    const { proof, output } = signer.proveLeader(request.vrfAlpha);
    await this.#untilDue(request, plan);
    if (this.#wanted !== request || this.#stopped) return undefined;
    this.#wanted = undefined;
    const { fields, body, transactions } = await plan.content({ nowMs: clock.nowMs(), seed: seedAfter(parent.seed, output) });
    this.#keep(fields.bodyRoot, { body, transactions, parentSeed: parent.seed, vrfOutput: output });
    return { ...fields, vrfProof: proof, vrfOutput: output };
  }

  /** The body and proof behind a header of our own. */
  payloadOf(bodyRoot: Bytes32): KeptPayload | undefined {
    return this.#kept.get(bytesToHex(bodyRoot));
  }

  /** Ends every wait without a payload. */
  stop(): void {
    this.#stopped = true;
    this.#wake?.();
  }

  // At once: it is all that stands between the closing block and its end. None where the instance has ended meanwhile.
  #carrierOn(parentHash: Bytes32): PayloadPlan | undefined {
    const parent = this.#dependencies.blocks.get(parentHash);
    if (parent === undefined) return undefined;
    const content = { fields: carrierContentOn(parent.header), body: EMPTY_BODY, transactions: [] };
    return { dueMs: () => 0, isNews: () => false, content: () => content };
  }

  #keep(bodyRoot: Bytes32, payload: KeptPayload): void {
    this.#kept.set(bytesToHex(bodyRoot), payload);
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= PAYLOADS_KEPT_MAX) return;
      this.#kept.delete(oldest);
    }
  }

  async #untilDue(request: RequestPayload, plan: PayloadPlan): Promise<void> {
    while (!this.#stopped && this.#wanted === request) {
      const waitMs = plan.dueMs() - this.#dependencies.clock.nowMs();
      if (waitMs <= 0) return;
      this.#plan = plan;
      await this.#sleep(waitMs);
    }
  }

  // One payload is wanted at a time; whoever waited before is woken and finds that it is not the one.
  #sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      let cancel: CancelTimer = () => undefined;
      const wake = (): void => {
        cancel();
        if (this.#wake === wake) this.#wake = undefined;
        resolve();
      };
      this.#wake?.();
      this.#wake = wake;
      cancel = this.#dependencies.clock.schedule(delayMs, wake);
    });
  }
}
