// Executes one message: an item that depends on the message, the state of its one family and its recorded context, and on nothing else
// (protocol, sections 1.6 and 5). What it emits goes to the next wave.
import { bounceOf, callOf, creditOf, forwardOf, isNaturalPlace, pointerOf, replyOf, sweepOf, valueSendOf } from '../messaging/emit.ts';
import { bytesEqual, bytesToHex } from '../primitives/bytes.ts';
import { invariant } from '../primitives/errors.ts';
import type { Address, Bytes32, Wei } from '../primitives/ids.ts';
import { HOPS_MAX } from '../protocol/gas.ts';
import { type ExecutionContext, type Log, type Message, type MessageResult, NO_REPLY } from '../protocol/message.ts';
import { EMPTY_ACCOUNT, hasCode } from './account-value.ts';
import { foreignCallError } from './family-rules.ts';
import type { CallOutcome, ItemExecutor } from './item-executor.ts';
import { type Emission, ItemState } from './item-state.ts';
import type { AccountEntry, StateOverlay } from './state-overlay.ts';
import { MESSENGER_ADDRESS, MESSENGER_HEX } from './system-addresses.ts';

const NO_DATA = new Uint8Array(0);
const NO_LOGS: readonly Log[] = [];
const NO_IDS: readonly Bytes32[] = [];
/** Fewer bytes than a function selector cannot be a call of a contract that is about to exist. */
const CALL_DATA_BYTES_MIN = 4;

/** What all items of a block share. */
export interface ItemEnvironment {
  readonly overlay: StateOverlay;
  readonly context: ExecutionContext;
  readonly executor: ItemExecutor;
  readonly gasLimitSeenByCode: number;
  readonly pause?: (() => Promise<void>) | undefined;
  /** eth_call: see ItemState. */
  readonly readsWorld?: boolean;
}

/** A message's result and the messages that it emitted, in order. */
export interface ExecutedMessage {
  readonly result: MessageResult;
  readonly emitted: readonly Message[];
  /** What contracts that the message created and destroyed still held. */
  readonly burnedWei: Wei;
}

/** Runs the message. Plain transfers to accounts without code are done before anything is awaited. */
export function executeMessage(environment: ItemEnvironment, message: Message, wave: number): ExecutedMessage | Promise<ExecutedMessage> {
  switch (message.kind) {
    case 'pointer':
      return writePointer(environment, message, wave);
    case 'bounce':
      return bounce(environment, message, wave);
    case 'reply':
      return reply(environment, message, wave);
    default:
      return deliver(environment, message, wave);
  }
}

/** What does not go directly to its family is sent on where a pointer says so. */
function deliver(environment: ItemEnvironment, message: Message, wave: number): ExecutedMessage | Promise<ExecutedMessage> {
  if (isNaturalPlace(message)) {
    const family = environment.overlay.pointer(message.target as Address);
    if (family !== undefined) return forward(message, family, wave);
  }
  if (message.kind === 'credit' || message.kind === 'sweep') return credit(environment, message, wave);
  return call(environment, message, wave);
}

/** A pointer leaf comes into being; value that was at the address before goes on to the contract. */
function writePointer({ overlay }: ItemEnvironment, message: Message, wave: number): ExecutedMessage {
  const { target, pointerFamily } = message;
  invariant(target !== undefined && pointerFamily !== undefined, 'a pointer message names a contract and its family');
  overlay.writePointer(target, pointerFamily);
  const entry = overlay.account(overlay.family(target), target);
  const balanceWei = entry.value?.balanceWei ?? 0n;
  if (balanceWei === 0n) return succeeded(message, wave, []);
  // Only value can be there: whoever had a nonce or code at this address would have collided with the creation.
  entry.value = undefined;
  return succeeded(message, wave, [sweepOf(message, 0, target, pointerFamily, balanceWei)]);
}

/** On to the family that the pointer names; at the last hop the message comes back instead. */
function forward(message: Message, family: Address, wave: number): ExecutedMessage {
  if (message.hop >= HOPS_MAX) return failed(message, wave, failure(NO_DATA));
  return { ...succeeded(message, wave, [forwardOf(message, family)], 'forwarded'), burnedWei: 0n };
}

/** Credits and sweeps run nothing, and so cannot fail. */
function credit(environment: ItemEnvironment, message: Message, wave: number): ExecutedMessage {
  creditAccount(targetOf(environment, message), message.valueWei);
  return succeeded(message, wave, []);
}

/** The value is back before the hook runs, and nothing that the hook does takes that away: a bounce is always a success. */
function bounce(environment: ItemEnvironment, message: Message, wave: number): ExecutedMessage | Promise<ExecutedMessage> {
  const entry = targetOf(environment, message);
  creditAccount(entry, message.valueWei);
  if (message.gasLimit === 0 || entry.value === undefined || !hasCode(entry.value)) return succeeded(message, wave, []);
  const hook: Message = { ...message, sender: MESSENGER_ADDRESS, valueWei: 0n };
  return runCode(environment, hook, (state, outcome) =>
    outcome.outcome === 'success' ? done(message, wave, state, outcome) : succeeded(message, wave, [], 'success', outcome),
  );
}

/** To an account without code there is nothing to say. A reply that fails is dropped: it has no value, and nobody waits for it. */
function reply(environment: ItemEnvironment, message: Message, wave: number): ExecutedMessage | Promise<ExecutedMessage> {
  const { value } = targetOf(environment, message);
  if (value === undefined || !hasCode(value)) return succeeded(message, wave, []);
  return runCode(environment, message, (state, outcome) =>
    outcome.outcome === 'success' ? done(message, wave, state, outcome) : failed(message, wave, outcome),
  );
}

function targetOf({ overlay }: ItemEnvironment, { target, targetFamily }: Message): AccountEntry {
  invariant(target !== undefined, 'whatever is no main call has a target');
  return overlay.account(overlay.family(targetFamily), target);
}

function creditAccount(entry: AccountEntry, amountWei: Wei): void {
  if (amountWei === 0n) return;
  const { nonce, balanceWei, codeHash } = entry.value ?? EMPTY_ACCOUNT;
  entry.value = { nonce, balanceWei: balanceWei + amountWei, codeHash };
}

function call(environment: ItemEnvironment, message: Message, wave: number): ExecutedMessage | Promise<ExecutedMessage> {
  const { target } = message;
  const run = (): ExecutedMessage | Promise<ExecutedMessage> =>
    runCode(environment, message, (state, outcome) =>
      outcome.outcome === 'success' ? done(message, wave, state, outcome) : failed(message, wave, outcome),
    );
  if (target === undefined) return run();
  const targetHex = bytesToHex(target);
  const isPrecompile = environment.executor.isPrecompile(targetHex);
  if (targetHex === MESSENGER_HEX || (isPrecompile && message.valueWei > 0n)) {
    return failed(message, wave, { ...failure(foreignCallError(target)), outcome: 'revert' });
  }
  const { overlay } = environment;
  const family = isNaturalPlace(message) ? overlay.family(target, targetHex) : overlay.family(message.targetFamily);
  const entry = overlay.account(family, target, targetHex);
  const { value } = entry;
  if (isPrecompile || (value !== undefined && hasCode(value))) return run();
  if (mayBecomeContract(message, value?.nonce ?? 0n)) return failed(message, wave, failure(NO_DATA));
  creditAccount(entry, message.valueWei);
  return succeeded(message, wave, replyTo(message, 0, NO_DATA));
}

/** A call of what has no pointer, no code and nonce 0 fails: it may be a contract whose pointer is still under way. */
function mayBecomeContract(message: Message, nonce: bigint): boolean {
  const { target } = message;
  if (nonce !== 0n || message.data.length < CALL_DATA_BYTES_MIN || target === undefined) return false;
  return !bytesEqual(message.originAddress, target);
}

/** What becomes of an item whose code has ended. */
type AfterCode = (state: ItemState, outcome: CallOutcome) => ExecutedMessage;

function runCode(environment: ItemEnvironment, message: Message, after: AfterCode): ExecutedMessage | Promise<ExecutedMessage> {
  const { overlay, context, executor, gasLimitSeenByCode, pause, readsWorld } = environment;
  const state = new ItemState(overlay, message.targetFamily, readsWorld);
  const outcome = executor.execute({ state, message, context, gasLimitSeenByCode, pause });
  return outcome instanceof Promise ? outcome.then((later) => after(state, later)) : after(state, outcome);
}

/** Code has ended well. */
function done(message: Message, wave: number, state: ItemState, outcome: CallOutcome): ExecutedMessage {
  const burnedWei = state.finish();
  const emitted = emissionsOf(message, state);
  for (const one of replyTo(message, emitted.length, outcome.returnData)) emitted.push(one);
  return { ...succeeded(message, wave, emitted, 'success', outcome, state.logs), burnedWei };
}

/** The outbox in its order, then the pointers of the contracts that the item created and that still exist. */
function emissionsOf(message: Message, state: ItemState): Message[] {
  const { family } = state.family;
  const emitted = state.outbox.map((emission, index) => messageOf(message, index, family, emission));
  for (const contract of state.created.values()) {
    if (bytesEqual(contract, family)) continue; // Its family is its own: it needs no pointer.
    emitted.push(pointerOf(message, emitted.length, contract, family));
  }
  return emitted;
}

/** The reply to a call that succeeded, where its sender wanted one: after everything else that the call emitted. */
function replyTo(message: Message, index: number, result: Uint8Array): readonly Message[] {
  const isWanted = message.kind === 'call' && !bytesEqual(message.replySelector, NO_REPLY);
  return isWanted ? [replyOf(message, index, MESSENGER_ADDRESS, result)] : [];
}

function messageOf(cause: Message, index: number, family: Address, emission: Emission): Message {
  if (emission.kind === 'call') return callOf(cause, index, family, emission);
  const emit = emission.kind === 'value-send' ? valueSendOf : creditOf;
  return emit(cause, index, emission.from, family, emission.to, emission.valueWei);
}

function succeeded(
  message: Message,
  wave: number,
  emitted: readonly Message[],
  outcome: MessageResult['outcome'] = 'success',
  ran?: CallOutcome,
  logs: readonly Log[] = NO_LOGS,
): ExecutedMessage {
  const result: MessageResult = {
    message,
    outcome,
    logs,
    executionGasUsed: ran?.gasUsed ?? 0,
    createdAddress: ran?.createdAddress,
    returnData: ran?.returnData ?? NO_DATA,
    wave,
    emitted: emitted.length === 0 ? NO_IDS : emitted.map((one) => one.id),
  };
  return { result, emitted, burnedWei: 0n };
}

function failed(message: Message, wave: number, ran: CallOutcome): ExecutedMessage {
  return succeeded(message, wave, bouncesOf(message), ran.outcome, { ...ran, createdAddress: undefined });
}

/** A failed message comes back: with its value, and to the hook if that is prepaid, also without value. A reply never does. */
function bouncesOf(message: Message): readonly Message[] {
  const hasSomethingToSay = message.valueWei > 0n || message.reservedGas > 0;
  return message.kind !== 'reply' && hasSomethingToSay ? [bounceOf(message, 0)] : [];
}

function failure(returnData: Uint8Array): CallOutcome {
  return { outcome: 'failure', gasUsed: 0, returnData, createdAddress: undefined };
}
