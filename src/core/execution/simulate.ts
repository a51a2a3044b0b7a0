// Calls and estimates without effect, on a version of the state and in the context of a block, for JSON-RPC.
//
// A call may look into other families, as eth_call on one Ethereum chain does: STATICCALL, and CALL without value, to a foreign contract
// run there as static calls (protocol, section 7), so that Multicall3 and lenses work. An estimate follows the rules of execution exactly:
// what a wallet is told to buy must do when it is bought.
import { isNaturalPlace, mainCallOf } from '../messaging/emit.ts';
import { bytesToHex } from '../primitives/bytes.ts';
import { CoppiceError } from '../primitives/errors.ts';
import type { Address, Bytes32, Wei } from '../primitives/ids.ts';
import { INITCODE_BYTES_MAX, TRANSACTION_GAS } from '../protocol/gas.ts';
import type { ExecutionContext, Log, Message, MessageResult } from '../protocol/message.ts';
import type { NetworkParameters } from '../protocol/parameters.ts';
import type { AccessListEntry } from '../protocol/transaction.ts';
import type { StateReader } from '../state/state-reader.ts';
import { EMPTY_ACCOUNT } from './account-value.ts';
import { Waves } from './execute-block.ts';
import type { ItemEnvironment } from './execute-message.ts';
import { foreignCallError } from './family-rules.ts';
import type { Halt } from './halt-reason.ts';
import { intrinsicGas, minimumGasLimit } from './intrinsic-gas.ts';
import type { CallOutcome, ItemExecutor } from './item-executor.ts';
import { ItemState } from './item-state.ts';
import { rememberBlockHashes } from './remembered-context.ts';
import { StateOverlay } from './state-overlay.ts';
import { MESSENGER_HEX } from './system-addresses.ts';

declare module '../primitives/errors.ts' {
  interface ErrorFacts {
    /** More simulations wait for the executor than a node takes on. */
    'execution/too-many-simulations': { waitingMax: number };
  }
}

/** No transaction has this hash; simulated messages descend from it. */
const SIMULATED_HASH: Bytes32 = new Uint8Array(32);
/** Estimates are within this fraction of the least gas that works; the RPC adds its margin. */
const ESTIMATE_PRECISION_DIVISOR = 200;

/** A call that nobody signed. */
export interface SimulatedCall {
  readonly from: Address;
  /** Undefined: create a contract. */
  readonly to: Address | undefined;
  readonly valueWei: Wei;
  readonly data: Uint8Array;
  /** Absent, or above what a transaction may buy: that. */
  readonly gasLimit?: number | undefined;
  /** What GASPRICE sees and the sender must afford; absent 0. */
  readonly gasPriceWei?: Wei | undefined;
  /** Absent: the sender's next nonce. */
  readonly nonce?: bigint | undefined;
  readonly accessList?: readonly AccessListEntry[] | undefined;
}

/** Where a call runs. */
export interface SimulationInput {
  readonly call: SimulatedCall;
  /** With the overrides, if any, already in it. */
  readonly state: StateReader;
  readonly context: ExecutionContext;
  /** What BASEFEE sees. */
  readonly baseFeePerGasWei: Wei;
  readonly parameters: NetworkParameters;
  /** Never the one that executes blocks: items must not interleave. See `createQueuedExecutor`. */
  readonly evm: ItemExecutor;
  readonly pause?: (() => Promise<void>) | undefined;
}

/** What a call gave. */
export interface SimulatedOutcome {
  readonly outcome: 'success' | 'revert' | 'failure';
  readonly returnData: Uint8Array;
  /** With the intrinsic gas. */
  readonly gasUsed: number;
  readonly logs: readonly Log[];
  readonly createdAddress: Address | undefined;
  /** Of a failure: why. */
  readonly halt: Halt | undefined;
}

/** The sender cannot pay for value and gas. */
export interface LackOfFunds {
  readonly outcome: 'insufficient-funds';
  readonly haveWei: Wei;
  readonly wantWei: Wei;
}

/** No transaction may carry it (EIP-3860): the mempool refuses it, so execution never sees it. */
const INITCODE_TOO_LARGE: FailedCall = { outcome: 'failure', returnData: new Uint8Array(0), halt: { reason: 'initcode-too-large' } };

function isInitcodeTooLarge({ to, data }: SimulatedCall): boolean {
  return to === undefined && data.length > INITCODE_BYTES_MAX;
}

/** eth_call: runs the main call alone, in the family where it would run. */
export async function simulateCall(input: SimulationInput): Promise<SimulatedOutcome | LackOfFunds> {
  const overlay = new StateOverlay(input.state);
  const intrinsic = intrinsicGas(intrinsicInputOf(input.call));
  // A call that is only looked at may run with less than a transaction would need.
  const gasLimit = Math.max(intrinsic, gasLimitOf(input));
  const lack = takeFromSender(overlay, input, gasLimit);
  if (lack !== undefined) return lack;
  if (isInitcodeTooLarge(input.call)) return { ...INITCODE_TOO_LARGE, gasUsed: gasLimit, logs: [], createdAddress: undefined };
  const placed = inItsFamily(overlay, mainCallIn(overlay, input, gasLimit - intrinsic));
  const state = new ItemState(overlay, placed.targetFamily, true);
  const ran = await runLeniently(input, state, placed);
  const { outcome, returnData, createdAddress, halt } = ran;
  return { outcome, returnData, createdAddress, halt, gasUsed: intrinsic + ran.gasUsed, logs: outcome === 'success' ? state.logs : [] };
}

/** A call that ran and did not succeed. */
export interface FailedCall {
  readonly outcome: 'revert' | 'failure';
  readonly returnData: Uint8Array;
  /** A failure without one ran no code: there is none at the target, and it may be a contract whose pointer is still under way. */
  readonly halt: Halt | undefined;
}

/** An estimate, or how the call ends with the most gas that it may have. */
export type GasEstimate =
  | { readonly outcome: 'success'; readonly gasLimit: number }
  | FailedCall
  /** More gas than a transaction may buy, or than was asked for, or than the sender can pay. */
  | { readonly outcome: 'gas-above-allowance'; readonly gasAllowance: number }
  | LackOfFunds;

/**
 * eth_estimateGas: the least gas limit, to half a percent, with which the main call and every hop after it end as they do with the most
 * gas. Exact where no code runs. Messages carry gas of their own, so more than that gas never helps a later hop.
 */
export async function estimateGas(input: SimulationInput): Promise<GasEstimate> {
  if (isInitcodeTooLarge(input.call)) return INITCODE_TOO_LARGE;
  const floor = minimumGasLimit(intrinsicInputOf(input.call));
  const gasAllowance = gasAllowanceOf(input, floor);
  if (typeof gasAllowance !== 'number') return gasAllowance;
  if (gasAllowance < floor) return { outcome: 'gas-above-allowance', gasAllowance };
  const best = await runTransaction(input, gasAllowance);
  if ('haveWei' in best) return best;
  const { mainCall, halt } = best;
  if (halt?.reason === 'out-of-gas') return { outcome: 'gas-above-allowance', gasAllowance };
  if (mainCall.outcome !== 'success')
    return { outcome: mainCall.outcome === 'revert' ? 'revert' : 'failure', returnData: mainCall.returnData, halt };
  const works = async (gasLimit: number): Promise<boolean> => {
    const run = await runTransaction(input, gasLimit);
    return !('haveWei' in run) && run.outcomes === best.outcomes;
  };
  const used = Math.max(floor, best.gasUsed);
  if (used === floor || (await works(used))) return { outcome: 'success', gasLimit: used };
  let tooLittle = used;
  let enough = gasAllowance;
  while (enough - tooLittle > Math.max(1, enough / ESTIMATE_PRECISION_DIVISOR)) {
    // Where gas is kept back at calls, a sixty-third more is most often enough: try near the lower end first.
    const middle = Math.floor(Math.min((tooLittle + enough) / 2, tooLittle * 2));
    if (await works(middle)) enough = middle;
    else tooLittle = middle;
  }
  return { outcome: 'success', gasLimit: enough };
}

interface SimulatedTransaction {
  readonly mainCall: MessageResult;
  /** Of the main call's code. */
  readonly halt: Halt | undefined;
  /** Intrinsic gas, and what the main call's code used. */
  readonly gasUsed: number;
  /** How each message ended, in order: equal for equal behaviour. */
  readonly outcomes: string;
}

/** The sender part, the main call, and all messages that follow from it. */
async function runTransaction(input: SimulationInput, gasLimit: number): Promise<SimulatedTransaction | LackOfFunds> {
  const overlay = new StateOverlay(input.state);
  const intrinsic = intrinsicGas(intrinsicInputOf(input.call));
  const lack = takeFromSender(overlay, input, gasLimit);
  if (lack !== undefined) return lack;
  let halt: Halt | undefined;
  const executor: ItemExecutor = {
    ...input.evm,
    async execute(item) {
      const ran = await input.evm.execute(item);
      if (item.message.kind === 'main-call') halt = ran.halt;
      return ran;
    },
  };
  const environment: ItemEnvironment = {
    overlay,
    context: rememberBlockHashes(input.context),
    executor,
    gasLimitSeenByCode: input.parameters.transactionGasLimitMax,
    pause: input.pause,
  };
  const waves = new Waves(environment);
  await waves.executeAll([mainCallIn(overlay, input, gasLimit - intrinsic)]);
  const { results } = waves;
  const mainCall = results.find(({ message, outcome }) => message.kind === 'main-call' && outcome !== 'forwarded');
  if (mainCall === undefined) throw new Error('invariant broken: a main call is executed in some wave');
  const outcomes = results.map(({ outcome }) => outcome).join();
  return { mainCall, halt, gasUsed: intrinsic + mainCall.executionGasUsed, outcomes };
}

function intrinsicInputOf(call: SimulatedCall) {
  return { to: call.to, data: call.data, accessList: call.accessList ?? [] };
}

function gasLimitOf({ call, parameters }: SimulationInput): number {
  return Math.min(call.gasLimit ?? parameters.transactionGasLimitMax, parameters.transactionGasLimitMax);
}

/** What a transaction may buy and was asked to; with a price, no more than the sender can pay for. */
function gasAllowanceOf(input: SimulationInput, floor: number): number | LackOfFunds {
  const { call, parameters, state } = input;
  // Less than any transaction buys is no wish: as geth.
  const isWish = call.gasLimit !== undefined && call.gasLimit >= TRANSACTION_GAS;
  const wanted = isWish ? gasLimitOf(input) : parameters.transactionGasLimitMax;
  const gasPriceWei = call.gasPriceWei ?? 0n;
  if (gasPriceWei === 0n) return wanted;
  const { value = EMPTY_ACCOUNT } = senderOf(new StateOverlay(state), call.from);
  const { balanceWei } = value;
  if (balanceWei <= call.valueWei)
    return { outcome: 'insufficient-funds', haveWei: balanceWei, wantWei: call.valueWei + gasPriceWei * BigInt(floor) };
  const affordable = (balanceWei - call.valueWei) / gasPriceWei;
  return affordable < BigInt(wanted) ? Number(affordable) : wanted;
}

function takeFromSender(overlay: StateOverlay, { call }: SimulationInput, gasLimit: number): LackOfFunds | undefined {
  const { value = EMPTY_ACCOUNT, entry } = senderOf(overlay, call.from);
  const wantWei = call.valueWei + BigInt(gasLimit) * (call.gasPriceWei ?? 0n);
  if (value.balanceWei < wantWei) return { outcome: 'insufficient-funds', haveWei: value.balanceWei, wantWei };
  entry.value = { nonce: value.nonce + 1n, balanceWei: value.balanceWei - wantWei, codeHash: value.codeHash };
  return undefined;
}

// Whoever calls eth_call may name a contract as the sender: then its account is in the family that its pointer names.
function senderOf(overlay: StateOverlay, from: Address) {
  const entry = overlay.account(overlay.family(overlay.pointer(from) ?? from), from);
  return { entry, value: entry.value };
}

function mainCallIn(overlay: StateOverlay, input: SimulationInput, gasLimit: number): Message {
  const { call, baseFeePerGasWei } = input;
  const { from, to } = call;
  const senderFamily = overlay.pointer(from) ?? from;
  const isInSenderFamily = to === undefined || overlay.account(overlay.family(senderFamily), to).value !== undefined;
  const nonce = call.nonce ?? (senderOf(overlay, from).value?.nonce ?? 1n) - 1n;
  const message = mainCallOf({
    transaction: {
      sender: from,
      to,
      hash: SIMULATED_HASH,
      valueWei: call.valueWei,
      data: call.data,
      nonce,
      accessList: call.accessList ?? [],
    },
    isInSenderFamily,
    gasLimit,
    gasPriceWei: call.gasPriceWei ?? 0n,
    baseFeePerGasWei,
    travellingTipWei: 0n,
  });
  return { ...message, senderFamily, originFamily: senderFamily, targetFamily: isInSenderFamily ? senderFamily : message.targetFamily };
}

function inItsFamily(overlay: StateOverlay, message: Message): Message {
  const family = isNaturalPlace(message) ? overlay.pointer(message.target as Address) : undefined;
  return family === undefined ? message : { ...message, targetFamily: family };
}

// As on Ethereum, a call of an address without code succeeds with no data, where a transaction would fail: it might be a contract soon.
async function runLeniently(input: SimulationInput, state: ItemState, message: Message): Promise<CallOutcome> {
  const { target } = message;
  if (target !== undefined) {
    const targetHex = bytesToHex(target);
    const nothing = { gasUsed: 0, createdAddress: undefined };
    if (targetHex === MESSENGER_HEX) return { ...nothing, outcome: 'revert', returnData: foreignCallError(target) };
    const isPrecompile = input.evm.isPrecompile(targetHex);
    const hasCode = state.overlay.code(state.account(target, targetHex)).length > 0;
    if (!isPrecompile && !hasCode) return { ...nothing, outcome: 'success', returnData: new Uint8Array(0) };
  }
  const gasLimitSeenByCode = input.parameters.transactionGasLimitMax;
  return input.evm.execute({ state, message, context: rememberBlockHashes(input.context), gasLimitSeenByCode, pause: input.pause });
}

/** An executor that takes callers one after the other, and refuses when `waitingMax` wait: for simulations. */
export function createQueuedExecutor(executor: ItemExecutor, waitingMax: number): ItemExecutor {
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  return {
    name: executor.name,
    isPrecompile: (addressHex) => executor.isPrecompile(addressHex),
    async execute(call) {
      if (waiting >= waitingMax) throw new CoppiceError('execution/too-many-simulations', { waitingMax });
      waiting++;
      // The host has its turn between two callers too: each may take as long as one precompile does.
      const turn = last.then(call.pause).then(() => executor.execute(call));
      last = turn.catch(() => undefined);
      try {
        return await turn;
      } finally {
        waiting--;
      }
    },
  };
}
