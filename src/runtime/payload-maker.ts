// A leader's payload: when to make a block and with what (protocol, section 3, "Pace"). After a parent whose results only a following
// block makes final, at once; with transactions waiting, at a pace that leaves the machine time for them; on an idle chain after
// `idleInterval`. Never before the earliest timestamp.
import type { RequestPayload } from '../core/consensus/effects.ts';
import type { Payload as HeaderPayload } from '../core/consensus/events.ts';
import type { DecodedBlock } from '../core/execution/executed-block.ts';
import { bytesToHex } from '../core/primitives/bytes.ts';
import type { Bytes32, Hex, Wei } from '../core/primitives/ids.ts';
import type { BlockBody } from '../core/protocol/block.ts';
import type { NetworkParameters } from '../core/protocol/parameters.ts';
import type { Transaction } from '../core/protocol/transaction.ts';
import { buildPayload, earliestTimestampMs, type Payload } from '../core/shard/build-block.ts';
import type { StateReader } from '../core/state/state-reader.ts';
import type { ChainBlocks, Outcome } from './chain-blocks.ts';
import type { CancelTimer, Clock } from './ports.ts';
import type { Signer } from './signer.ts';

/** Payloads kept for headers that the engine still makes of them. */
const PAYLOADS_KEPT_MAX = 8;

/**
 * With transactions waiting, a block follows its parent after this many times what the parent took to be proposed, voted for and
 * executed: on a quiet machine soon, on a busy one later, so that certificates and votes, whose cost is per block, leave room for
 * transactions. After this long at most, and at once when there is a full block of them: waiting longer would make no block larger.
 */
const PACE_FACTOR = 2;
const PACE_MS_MAX = 400;
/** A new chain's first two blocks do not wait: the second makes the first final, which is what people wait to see. */
const FIRST_HEIGHTS = 2;
/** The two list offsets at the head of an encoded body. */
const BODY_FRAMING_BYTES = 8;

/** Where transactions for blocks come from: the mempool, as the runner sees it. */
export interface TransactionSource {
  /** True when at least one transaction could go into such a block. Dear: it looks at every sender. */
  hasWaiting(request: TakeRequest): boolean;
  /** True when about as many wait as such a block has room for. Cheap: it compares sums. */
  hasFullBlock(room: { readonly gasLimit: number; readonly inFlightGas: number }): boolean;
  /** Transactions that are executable in this order on this state, within the limits. */
  take(request: TakeRequest): readonly Transaction[];
  /** Told whenever a transaction comes that could go into a block. */
  onWaiting(listener: () => void): void;
  /** A block is committed: its transactions are no longer wanted, its state is the one to judge by. */
  onCommitted(block: DecodedBlock, state: StateReader, baseFeePerGasWei: Wei): void;
}

/** What a block can hold, and the state that it stands on. */
export interface TakeRequest {
  readonly state: StateReader;
  readonly baseFeePerGasWei: Wei;
  readonly gasLimit: number;
  readonly bytesMax: number;
  /** Hashes of transactions in uncommitted ancestors. */
  readonly inFlight: ReadonlySet<Hex>;
}

/** A payload before its header is made. */
export interface KeptPayload {
  readonly body: BlockBody;
  readonly transactions: readonly Transaction[];
  readonly parentSeed: Bytes32;
  readonly vrfOutput: Uint8Array;
}

/** What making payloads needs of its node. */
export interface PayloadMakerDependencies {
  readonly parameters: NetworkParameters;
  readonly blocks: ChainBlocks;
  readonly transactions: TransactionSource;
  readonly signer: Signer;
  readonly clock: Clock;
}

/** See the file's head. */
export class PayloadMaker {
  readonly #dependencies: PayloadMakerDependencies;
  readonly #kept = new Map<Hex, KeptPayload>();
  #wanted: RequestPayload | undefined;
  #wake: (() => void) | undefined;
  /** Whether one more transaction changes when the block is due. Under load the next one rarely does, and to wake for each is dear. */
  #isNews: () => boolean = () => false;
  #stopped = false;

  constructor(dependencies: PayloadMakerDependencies) {
    this.#dependencies = dependencies;
    dependencies.transactions.onWaiting(() => {
      if (this.#isNews()) this.#wake?.();
    });
  }

  /** Makes the payload when its time has come; undefined when another one is wanted by then. */
  async make(request: RequestPayload): Promise<HeaderPayload | undefined> {
    this.#wanted = request;
    this.#wake?.();
    const { blocks, signer } = this.#dependencies;
    const parent = await blocks.outcomeOf(request.parentHash);
    const { proof, output } = signer.proveLeader(request.vrfAlpha);
    await this.#untilDue(request, parent, this.#pacedMs(parent));
    if (this.#wanted !== request || this.#stopped) return undefined;
    this.#wanted = undefined;
    const transactions = this.#dependencies.transactions.take(this.#roomOn(parent));
    const { body, ...fields } = this.#build(parent, transactions);
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

  #build(parent: Outcome, transactions: readonly Transaction[]): Payload {
    const { parameters, clock } = this.#dependencies;
    return buildPayload({ parent: parent.facts, parentExecution: parent.commitment, transactions, nowMs: clock.nowMs(), parameters });
  }

  #roomOn(parent: Outcome): TakeRequest {
    const { parameters, blocks } = this.#dependencies;
    return {
      state: parent.version,
      baseFeePerGasWei: parent.facts.baseFeePerGasWei,
      gasLimit: parameters.blockGasLimit,
      bytesMax: parameters.bodyBytesMax - BODY_FRAMING_BYTES,
      inFlight: blocks.inFlightOn(parent.hash),
    };
  }

  #keep(bodyRoot: Bytes32, payload: KeptPayload): void {
    this.#kept.set(bytesToHex(bodyRoot), payload);
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= PAYLOADS_KEPT_MAX) return;
      this.#kept.delete(oldest);
    }
  }

  // When a block with transactions is due on a parent that is ready to be built on now.
  #pacedMs({ facts }: Outcome): number {
    const tookMs = Math.max(0, this.#dependencies.clock.nowMs() - facts.timestampMs);
    return facts.timestampMs + Math.min(PACE_FACTOR * tookMs, PACE_MS_MAX);
  }

  // What waits once goes on waiting, and a full block stays full: nothing but a block on this parent takes it.
  async #untilDue(request: RequestPayload, parent: Outcome, pacedMs: number): Promise<void> {
    const { clock, transactions, parameters, blocks } = this.#dependencies;
    const idleUntilMs = parent.facts.timestampMs + parameters.idleIntervalMs;
    const earliestMs = earliestTimestampMs(parent.facts, parameters);
    const room = this.#roomOn(parent);
    const gasLimit = parameters.blockGasLimit;
    let isWanted = false;
    let isFull = false;
    while (!this.#stopped && this.#wanted === request) {
      const nowMs = clock.nowMs();
      isWanted ||= transactions.hasWaiting(room);
      isFull ||= isWanted && transactions.hasFullBlock({ gasLimit, inFlightGas: blocks.inFlightGasOn(parent.hash) });
      const isAtOnce = isFull || (!isWanted && (parent.facts.hasItems || parent.facts.height < FIRST_HEIGHTS));
      const reasonMs = isAtOnce ? earliestMs : isWanted ? pacedMs : idleUntilMs;
      const dueMs = Math.max(earliestMs, reasonMs);
      if (nowMs >= dueMs) return;
      const [wasWanted, wasFull] = [isWanted, isFull];
      this.#isNews = () =>
        !wasWanted || (!wasFull && transactions.hasFullBlock({ gasLimit, inFlightGas: blocks.inFlightGasOn(parent.hash) }));
      await this.#sleep(dueMs - nowMs);
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
