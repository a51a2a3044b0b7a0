// Executes a block in waves (protocol, section 5). Wave 0 is the messages of the inbox as taken, then the transactions' sender parts in body
// order: nonce, fee and value, which static validation has made certain. Wave k+1 is what wave k emitted to families of this shard, by
// position of the emitter, then by index; what is for others is the outbox, in the order of emission. Nothing else orders items, and nothing
// but the parent state, the inbox, the transactions, the prices and the context is read: equal input, equal result.
import { mainCallOf } from '../messaging/emit.ts';
import { bytesToHex, ZERO_32 } from '../primitives/bytes.ts';
import { invariant } from '../primitives/errors.ts';
import type { Address, Bytes32, Wei } from '../primitives/ids.ts';
import type { ExecutionContext, Message, MessageResult } from '../protocol/message.ts';
import type { NetworkParameters } from '../protocol/parameters.ts';
import type { Transaction } from '../protocol/transaction.ts';
import type { StateReader } from '../state/state-reader.ts';
import { executeMessage, type ItemEnvironment } from './execute-message.ts';
import type { BlockResult, SenderPart } from './executed-block.ts';
import { intrinsicGas } from './intrinsic-gas.ts';
import type { ItemExecutor } from './item-executor.ts';
import { receiptsRootOf } from './item-receipt.ts';
import { logsBloomOf } from './logs-bloom.ts';
import { rememberBlockHashes } from './remembered-context.ts';
import { StateOverlay } from './state-overlay.ts';

/** Between items the host gets its turn each time this much gas has run; an item without code counts for ITEM_PAUSE_GAS. */
const PAUSE_GAS = 1_000_000;
const ITEM_PAUSE_GAS = 4_000;

/** Everything that a block's result follows from. */
export interface ExecuteBlockInput {
  /** Decoded, and statically valid against `parentState`. */
  readonly transactions: readonly Transaction[];
  readonly parentState: StateReader;
  /** The price that the parent's header sets: what each transaction of this block pays at least. */
  readonly parentBaseFeePerGasWei: Wei;
  /** Messages of other shards, in the order in which they were taken. */
  readonly inbox?: readonly Message[] | undefined;
  /** Whether a family lies in this shard; absent: the shard is the whole state. */
  readonly isOwnFamily?: ((family: Address) => boolean) | undefined;
  /** The root of what goes to other shards, by the layout of this block's epoch. Needed where there are others. */
  readonly outboxRootOf?: ((outbox: readonly Message[]) => Bytes32) | undefined;
  /** The base fee of the shard that a transaction's target is in; absent: its own shard's. */
  readonly targetBaseFeeOf?: ((transaction: Transaction) => Wei) | undefined;
  /** The family that the body proves a transaction's target to be of; undefined: its natural place is where the main call goes. */
  readonly targetFamilyOf?: ((transaction: Transaction) => Address | undefined) | undefined;
  readonly context: ExecutionContext;
  readonly parameters: NetworkParameters;
  readonly evm: ItemExecutor;
  /** Lets the host's event loop live: called between items and every so often inside one. Changes no result. */
  readonly pause?: (() => Promise<void>) | undefined;
}

/** What a transaction pays for each gas: never more than it offers, never less than the base fee. */
export function effectiveGasPriceWei(
  transaction: Pick<Transaction, 'maxFeePerGasWei' | 'maxPriorityFeePerGasWei'>,
  baseFeePerGasWei: Wei,
): Wei {
  const offered = baseFeePerGasWei + transaction.maxPriorityFeePerGasWei;
  if (offered > transaction.maxFeePerGasWei) return transaction.maxFeePerGasWei;
  return offered;
}

/** Executes the block; see the file's head. */
export async function executeBlock(input: ExecuteBlockInput): Promise<BlockResult> {
  const overlay = new StateOverlay(input.parentState);
  const environment: ItemEnvironment = {
    overlay,
    context: rememberBlockHashes(input.context),
    executor: input.evm,
    gasLimitSeenByCode: input.parameters.transactionGasLimitMax,
    pause: input.pause,
  };
  const waves = new Waves(environment, input.isOwnFamily);
  const first = await waves.execute(input.inbox ?? [], 0);
  const { transactions, parentBaseFeePerGasWei, targetBaseFeeOf, targetFamilyOf } = input;
  const wave0 = executeSenderParts(overlay, transactions, parentBaseFeePerGasWei, targetBaseFeeOf, targetFamilyOf);
  waves.route(wave0.mainCalls, first);
  await waves.executeAll(first);
  return {
    senderParts: wave0.senderParts,
    messages: waves.results,
    changeSet: overlay.changeSet(),
    proposerFeesWei: wave0.proposerFeesWei + waves.travelledTipsWei,
    burnedFeesWei: wave0.burnedWei + waves.burnedWei,
    gasUsed: wave0.gasBought,
    logsBloom: logsBloomOf(waves.results),
    receiptsRoot: receiptsRootOf(waves.results),
    outbox: waves.outbox,
    outboxRoot: outboxRootOf(input, waves.outbox),
  };
}

/** One shard is the whole state: no bundle leaves it. The root of no bundles is by definition 32 zero bytes. */
function outboxRootOf({ outboxRootOf: rootOf }: ExecuteBlockInput, outbox: readonly Message[]): Bytes32 {
  if (outbox.length === 0) return ZERO_32;
  invariant(rootOf !== undefined, 'whoever gives other shards something says how its root is made');
  return rootOf(outbox);
}

/** What wave 0 came to. */
export interface Wave0 {
  readonly senderParts: readonly SenderPart[];
  readonly mainCalls: readonly Message[];
  readonly gasBought: number;
  readonly burnedWei: Wei;
  readonly proposerFeesWei: Wei;
}

/** Takes nonce, fee and value of each transaction, in order, and emits its main call: reads and changes nothing but the senders' families. */
export function executeSenderParts(
  overlay: StateOverlay,
  transactions: readonly Transaction[],
  ownBaseFeePerGasWei: Wei,
  targetBaseFeeOf?: ((transaction: Transaction) => Wei) | undefined,
  targetFamilyOf?: ((transaction: Transaction) => Address | undefined) | undefined,
): Wave0 {
  const senderParts: SenderPart[] = [];
  const mainCalls: Message[] = [];
  let gasBought = 0;
  let burnedWei = 0n;
  let proposerFeesWei = 0n;
  for (const transaction of transactions) {
    const { gasLimit } = transaction;
    const baseFeePerGasWei = higherOf(ownBaseFeePerGasWei, targetBaseFeeOf?.(transaction));
    const gasPriceWei = effectiveGasPriceWei(transaction, baseFeePerGasWei);
    invariant(gasPriceWei >= baseFeePerGasWei, `${transaction.hashHex} offers the base fee, as static validation saw`);
    const priorityWei = (gasPriceWei - baseFeePerGasWei) * BigInt(gasLimit);
    // Half travels to whoever executes the main call; of an odd wei the proposer of the sender part keeps the greater half.
    const travellingTipWei = priorityWei / 2n;
    debitSender(overlay, transaction, gasPriceWei);
    gasBought += gasLimit;
    burnedWei += baseFeePerGasWei * BigInt(gasLimit);
    proposerFeesWei += priorityWei - travellingTipWei;
    senderParts.push({ transaction, effectiveGasPriceWei: gasPriceWei, baseFeePerGasWei });
    mainCalls.push(
      mainCallOf({
        transaction,
        isInSenderFamily: isInSenderFamily(overlay, transaction),
        provenFamily: targetFamilyOf?.(transaction),
        gasLimit: gasLimit - intrinsicGas(transaction),
        gasPriceWei,
        baseFeePerGasWei,
        travellingTipWei,
      }),
    );
  }
  return { senderParts, mainCalls, gasBought, burnedWei, proposerFeesWei };
}

/** Congestion is paid for by those who cause it: a transaction pays its own shard's base fee, or its target's if that is higher. */
function higherOf(ownWei: Wei, targetsWei: Wei | undefined): Wei {
  return targetsWei !== undefined && targetsWei > ownWei ? targetsWei : ownWei;
}

/** Gas bought is gas paid: the whole limit, at once, and nothing comes back. */
function debitSender(overlay: StateOverlay, transaction: Transaction, gasPriceWei: Wei): void {
  const family = overlay.family(transaction.sender, transaction.senderHex);
  const entry = overlay.account(family, transaction.sender, transaction.senderHex);
  const costWei = transaction.valueWei + gasPriceWei * BigInt(transaction.gasLimit);
  const { value } = entry;
  invariant(value !== undefined && value.balanceWei >= costWei, `the sender of ${transaction.hashHex} can pay, as static validation saw`);
  invariant(value.nonce === transaction.nonce, `${transaction.hashHex} has its sender's next nonce, as static validation saw`);
  entry.value = { nonce: value.nonce + 1n, balanceWei: value.balanceWei - costWei, codeHash: value.codeHash };
}

/** The target is the sender, or has a leaf in the sender's family now: then the main call goes there without the natural place. */
function isInSenderFamily(overlay: StateOverlay, transaction: Transaction): boolean {
  if (transaction.to === undefined) return true;
  const toHex = bytesToHex(transaction.to);
  if (toHex === transaction.senderHex) return true;
  return overlay.hasLeaf(overlay.family(transaction.sender, transaction.senderHex), transaction.to, toHex);
}

/** What the waves of one block, or of one simulated transaction, come to. They end: gas never grows along a chain of messages, and hops are bounded. */
export class Waves {
  readonly results: MessageResult[] = [];
  /** What is for families of other shards, in the order of emission. */
  readonly outbox: Message[] = [];
  burnedWei: Wei = 0n;
  /** The halves of priority fees that travelled with main calls. */
  travelledTipsWei: Wei = 0n;
  readonly #environment: ItemEnvironment;
  readonly #isOwnFamily: ((family: Address) => boolean) | undefined;
  #gasSincePause = 0;

  constructor(environment: ItemEnvironment, isOwnFamily?: ((family: Address) => boolean) | undefined) {
    this.#environment = environment;
    this.#isOwnFamily = isOwnFamily;
  }

  /** Wave after wave, from the first on, until one emits nothing for this shard. */
  async executeAll(first: readonly Message[]): Promise<void> {
    let current = first;
    for (let wave = 1; current.length > 0; wave++) current = await this.execute(current, wave);
  }

  /** One wave; gives the next. */
  async execute(messages: readonly Message[], wave: number): Promise<Message[]> {
    const { pause } = this.#environment;
    const next: Message[] = [];
    for (const message of messages) {
      const pending = executeMessage(this.#environment, message, wave);
      const { result, emitted, burnedWei } = pending instanceof Promise ? await pending : pending;
      this.results.push(result);
      this.route(emitted, next);
      this.burnedWei += burnedWei;
      if (result.outcome !== 'forwarded') this.travelledTipsWei += message.travellingTipWei;
      this.#gasSincePause += ITEM_PAUSE_GAS + result.executionGasUsed;
      if (pause !== undefined && this.#gasSincePause >= PAUSE_GAS) {
        this.#gasSincePause = 0;
        await pause();
      }
    }
    return next;
  }

  /** Each message to where it executes: the next wave of this shard, or another shard. */
  route(emitted: readonly Message[], next: Message[]): void {
    for (const one of emitted) {
      if (this.#isOwnFamily === undefined || this.#isOwnFamily(one.targetFamily)) next.push(one);
      else this.outbox.push(one);
    }
  }
}
