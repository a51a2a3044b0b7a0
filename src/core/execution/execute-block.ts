// Executes a block in waves (protocol, section 5). Wave 0 is the transactions' sender parts in body order: nonce, fee and value, which
// static validation has made certain. Wave k+1 is what wave k emitted, by position of the emitter, then by index. Nothing else orders
// items, and nothing but the parent state, the transactions, the price and the context is read: equal input, equal result.
import { mainCallOf } from '../messaging/emit.ts';
import { bytesToHex, ZERO_32 } from '../primitives/bytes.ts';
import { invariant } from '../primitives/errors.ts';
import type { Wei } from '../primitives/ids.ts';
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
  const wave0 = executeSenderParts(overlay, input.transactions, input.parentBaseFeePerGasWei);
  const messages: MessageResult[] = [];
  const environment: ItemEnvironment = {
    overlay,
    context: rememberBlockHashes(input.context),
    executor: input.evm,
    gasLimitSeenByCode: input.parameters.transactionGasLimitMax,
    pause: input.pause,
  };
  const waves = await executeWaves(environment, wave0.mainCalls, messages);
  return {
    senderParts: wave0.senderParts,
    messages,
    changeSet: overlay.changeSet(),
    proposerFeesWei: wave0.proposerFeesWei + waves.travelledTipsWei,
    burnedFeesWei: wave0.burnedWei + waves.burnedWei,
    gasUsed: wave0.gasBought,
    logsBloom: logsBloomOf(messages),
    receiptsRoot: receiptsRootOf(messages),
    // One shard is the whole state: no bundle leaves it, and the root of an empty list of bundles is by definition 32 zero bytes.
    outboxRoot: ZERO_32,
  };
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
export function executeSenderParts(overlay: StateOverlay, transactions: readonly Transaction[], baseFeePerGasWei: Wei): Wave0 {
  const senderParts: SenderPart[] = [];
  const mainCalls: Message[] = [];
  let gasBought = 0;
  let burnedWei = 0n;
  let proposerFeesWei = 0n;
  for (const transaction of transactions) {
    const { gasLimit } = transaction;
    const gasPriceWei = effectiveGasPriceWei(transaction, baseFeePerGasWei);
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
        gasLimit: gasLimit - intrinsicGas(transaction),
        gasPriceWei,
        baseFeePerGasWei,
        travellingTipWei,
      }),
    );
  }
  return { senderParts, mainCalls, gasBought, burnedWei, proposerFeesWei };
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

/** What the waves burned, and the halves of priority fees that travelled with main calls. */
export interface WaveTotals {
  readonly burnedWei: Wei;
  readonly travelledTipsWei: Wei;
}

/** Runs wave after wave until one emits nothing. They end: gas never grows along a chain of messages, and hops are bounded. */
export async function executeWaves(environment: ItemEnvironment, first: readonly Message[], results: MessageResult[]): Promise<WaveTotals> {
  let burnedWei = 0n;
  let travelledTipsWei = 0n;
  let gasSincePause = 0;
  let current = first;
  for (let wave = 1; current.length > 0; wave++) {
    const next: Message[] = [];
    for (const message of current) {
      const pending = executeMessage(environment, message, wave);
      const { result, emitted, burnedWei: burned } = pending instanceof Promise ? await pending : pending;
      results.push(result);
      for (const one of emitted) next.push(one);
      burnedWei += burned;
      if (result.outcome !== 'forwarded') travelledTipsWei += message.travellingTipWei;
      gasSincePause += ITEM_PAUSE_GAS + result.executionGasUsed;
      if (environment.pause !== undefined && gasSincePause >= PAUSE_GAS) {
        gasSincePause = 0;
        await environment.pause();
      }
    }
    current = next;
  }
  return { burnedWei, travelledTipsWei };
}
