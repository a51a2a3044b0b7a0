// The EVM behind the port: runs one item on the own loop. Frames lie on a list; a frame's end is settled here (commit or revert of the
// one undo log, gas back to the caller), so the cost of a call is the same however many there were before it.

import type { Secp256k1 } from '../../crypto/secp256k1.ts';
import { nobleSecp256k1 } from '../../crypto/secp256k1-noble.ts';
import { bytesToHex } from '../../primitives/bytes.ts';
import { invariant } from '../../primitives/errors.ts';
import type { Address, Hex } from '../../primitives/ids.ts';
import { POINTER_GAS } from '../../protocol/gas.ts';
import { createdAddressOf } from '../created-address.ts';
import type { CallOutcome, ItemCall, ItemExecutor } from '../item-executor.ts';
import { COINBASE_ADDRESS, COINBASE_HEX } from '../system-addresses.ts';
import { endCall, endPrecompile } from './call-opcodes.ts';
import { beginCreation, depositCode } from './create-opcodes.ts';
import { type EthereumRules, ethereumRulesOf } from './ethereum-rules.ts';
import { Frame, type FrameStart } from './frame.ts';
import { environmentOf, type Machine, type PrecompileResult, type Signal } from './machine.ts';
import { runPrecompile } from './precompiles.ts';
import { runFrame } from './run-frame.ts';
import { slotKeyOf, wordOf } from './words.ts';

const NO_DATA = new Uint8Array(0);
const PRECOMPILE_PREFIX = '0'.repeat(36);

/** The host gets its turn after about this many opcodes: some milliseconds. */
const PAUSE_WORK = 100_000;

/** How long an executor may keep the thread to itself; results do not depend on it. */
export interface ExecutorPace {
  /** Opcodes after which the host gets its turn. */
  readonly pauseWork: number;
  /** A precompile that would use more gas at a stretch makes `execute` throw `execution/precompile-too-heavy`. */
  readonly precompileGasMax: number;
}

/** Blocks: what was bought is executed, however long it takes. */
const BLOCK_PACE: ExecutorPace = { pauseWork: PAUSE_WORK, precompileGasMax: Number.POSITIVE_INFINITY };

/**
 * The executor that nodes use: one for each chain instance, and another for simulations; the first takes some milliseconds. Pass the native
 * secp256k1 where there is one: with the portable form a block full of ecrecover takes 5 s instead of 0.3 s, with equal results.
 */
export function createOwnLoopExecutor(
  evmChainId: number,
  secp256k1: Secp256k1 = nobleSecp256k1,
  pace: ExecutorPace = BLOCK_PACE,
): ItemExecutor {
  const rules = ethereumRulesOf(evmChainId, secp256k1);
  let isBusy = false;
  return {
    name: 'own-loop',
    // All lie below 0x101: the first digits tell most others apart without hashing a string.
    isPrecompile: (addressHex) => addressHex.startsWith(PRECOMPILE_PREFIX) && rules.precompiles.has(addressHex),
    execute(call) {
      invariant(!isBusy, 'one executor runs one item at a time');
      isBusy = true;
      let outcome: CallOutcome | Promise<CallOutcome> | undefined;
      try {
        outcome = executeItem(rules, evmChainId, call, pace);
      } finally {
        if (!(outcome instanceof Promise)) isBusy = false;
      }
      if (!(outcome instanceof Promise)) return outcome;
      return outcome.finally(() => {
        isBusy = false;
      });
    },
  };
}

function executeItem(rules: EthereumRules, evmChainId: number, item: ItemCall, pace: ExecutorPace): CallOutcome | Promise<CallOutcome> {
  const { message, state, context } = item;
  const machine: Machine = {
    rules,
    state,
    message,
    context,
    environment: environmentOf(context, evmChainId, item.gasLimitSeenByCode),
    mayPause: item.pause !== undefined,
    pauseWork: pace.pauseWork,
    precompileGasMax: pace.precompileGasMax,
    work: 0,
    halt: undefined,
    child: undefined,
    precompile: undefined,
  };
  if (message.target === undefined) {
    warmUp(machine, undefined);
    return create(machine, item);
  }
  const target = state.account(message.target, bytesToHex(message.target));
  warmUp(machine, target.addressHex);
  const checkpoint = state.checkpoint();
  state.addBalance(target, message.valueWei);
  const start = {
    self: target,
    family: state.family,
    caller: message.sender,
    callData: message.data,
    valueWei: message.valueWei,
    code: state.overlay.code(target),
    isCreation: false,
    isStatic: false,
    depth: 0,
    gasLimit: message.gasLimit,
    checkpoint,
    outputOffset: 0,
    outputLength: 0,
  };
  if (rules.precompiles.has(target.addressHex)) {
    const result = runPrecompile(machine, target.addressHex, start);
    if (result instanceof Promise) return result.then((later) => outcomeOfPrecompile(machine, start, later));
    return outcomeOfPrecompile(machine, start, result);
  }
  const frame = new Frame(start);
  const end = runFrames(machine, frame, item.pause);
  return end instanceof Promise ? end.then((later) => outcomeOf(machine, frame, later)) : outcomeOf(machine, frame, end);
}

function outcomeOfPrecompile({ state }: Machine, start: FrameStart, result: PrecompileResult): CallOutcome {
  const { success, reason, gasUsed, output } = result;
  if (!success) state.revert(start.checkpoint);
  const halt = reason && { reason };
  return { outcome: success ? 'success' : 'failure', gasUsed, returnData: output, createdAddress: undefined, halt };
}

/** A transaction's creation: its address derives from the nonce that the message carries, and its pointer is paid before code runs. */
function create(machine: Machine, item: ItemCall): CallOutcome | Promise<CallOutcome> {
  const { message, state } = machine;
  const address = createdAddressOf(message.sender, message.creationNonce);
  const failed = (reason: 'out-of-gas' | 'address-collision'): CallOutcome => ({
    outcome: 'failure',
    gasUsed: message.gasLimit,
    returnData: NO_DATA,
    createdAddress: undefined,
    halt: { reason },
  });
  if (message.gasLimit < POINTER_GAS) return failed('out-of-gas');
  const frame = beginCreation(machine, {
    creator: undefined,
    address,
    initcode: message.data,
    valueWei: message.valueWei,
    family: state.family,
    depth: 0,
    gasLimit: message.gasLimit - POINTER_GAS,
  });
  if (frame === undefined) return failed('address-collision');
  const end = runFrames(machine, frame, item.pause);
  return end instanceof Promise ? end.then((later) => created(machine, frame, later, address)) : created(machine, frame, end, address);
}

function created(machine: Machine, frame: Frame, end: End, address: Address): CallOutcome {
  const outcome = outcomeOf(machine, frame, end);
  return outcome.outcome === 'success' ? { ...outcome, createdAddress: address } : outcome;
}

// EIP-2929, EIP-2930, EIP-3651: each message starts with fresh access lists.
function warmUp({ state, message, environment: { coinbase } }: Machine, targetHex: Hex | undefined): void {
  state.warmAddress(coinbase === COINBASE_ADDRESS ? COINBASE_HEX : bytesToHex(coinbase));
  state.warmAddress(bytesToHex(message.sender));
  if (targetHex !== undefined) state.warmAddress(targetHex);
  for (const { address, storageKeys } of message.accessList) {
    const addressHex = bytesToHex(address);
    state.warmAddress(addressHex);
    if (storageKeys.length === 0) continue;
    const account = state.account(address, addressHex);
    for (const key of storageKeys) state.warmSlot(state.overlay.slot(account, slotKeyOf(wordOf(key))));
  }
}

type End = 'done' | 'revert' | 'halt';

function outcomeOf({ message, halt }: Machine, frame: Frame, end: End): CallOutcome {
  const gasUsed = end === 'halt' ? message.gasLimit : message.gasLimit - frame.gasLeft;
  const outcome = end === 'done' ? 'success' : end === 'revert' ? 'revert' : 'failure';
  return { outcome, gasUsed, returnData: end === 'halt' ? NO_DATA : frame.output, createdAddress: undefined, halt };
}

/** The frame that runs, and those that wait for it, the first caller first. */
interface Running {
  frame: Frame;
  readonly callers: Frame[];
}

// Runs a frame and all that it calls. Most never wait for anything, and then there is no promise: it would cost more than a small call.
function runFrames(machine: Machine, first: Frame, pause: (() => Promise<void>) | undefined): End | Promise<End> {
  const running: Running = { frame: first, callers: [] };
  const signal = advance(machine, running);
  return signal === 'pause' || signal === 'precompile' ? finishLater(machine, running, signal, pause) : signal;
}

async function finishLater(
  machine: Machine,
  running: Running,
  first: 'pause' | 'precompile',
  pause: (() => Promise<void>) | undefined,
): Promise<End> {
  let signal: End | 'pause' | 'precompile' = first;
  while (signal === 'pause' || signal === 'precompile') {
    if (signal === 'pause') await pause?.();
    else await awaitPrecompile(machine, running.frame);
    signal = advance(machine, running);
  }
  return signal;
}

// Until the first frame ends, or there is something to wait for.
function advance(machine: Machine, running: Running): End | 'pause' | 'precompile' {
  while (true) {
    const { frame, callers } = running;
    const signal = runFrame(machine, frame);
    if (signal === 'pause' || signal === 'precompile') return signal;
    if (signal === 'child') {
      invariant(machine.child !== undefined, 'a call leaves its frame to the loop');
      callers.push(frame);
      running.frame = machine.child;
      machine.child = undefined;
      continue;
    }
    const end = settle(machine, frame, signal);
    frame.release();
    const caller = callers.pop();
    if (caller === undefined) return end;
    resume(caller, frame, end);
    running.frame = caller;
  }
}

async function awaitPrecompile(machine: Machine, frame: Frame): Promise<void> {
  const pending = machine.precompile;
  invariant(pending !== undefined, 'a precompile that answers later leaves its promise to the loop');
  machine.precompile = undefined;
  endPrecompile(machine, frame, await pending.result, pending.start);
}

/** The end of a frame: code is stored, or everything since its beginning is taken back. */
function settle(machine: Machine, frame: Frame, signal: Exclude<Signal, 'child' | 'pause' | 'precompile'>): End {
  const { isCreation, checkpoint, depth } = frame.start;
  const refusal = signal === 'done' && isCreation ? depositCode(machine, frame) : undefined;
  if (refusal !== undefined && depth === 0) machine.halt = { reason: refusal };
  const end = refusal === undefined ? signal : 'halt';
  if (end !== 'done') machine.state.revert(checkpoint);
  return end;
}

/** What the caller gets: gas, return data and a word on its stack. */
function resume(caller: Frame, callee: Frame, end: End): void {
  const gasLeft = end === 'halt' ? 0 : callee.gasLeft;
  const output = end === 'halt' ? NO_DATA : callee.output;
  if (!callee.start.isCreation) {
    endCall(caller, end === 'done', gasLeft, output, callee.start);
    return;
  }
  caller.gasLeft += gasLeft;
  caller.returnData = end === 'revert' ? output : NO_DATA;
  caller.stack.push(end === 'done' ? wordOf(callee.self.address) : 0n);
}
