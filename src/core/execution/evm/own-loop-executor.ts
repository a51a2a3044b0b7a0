// The EVM behind the port: runs one item on the own loop. Frames lie on a list; a frame's end is settled here (commit or revert of the
// one undo log, gas back to the caller), so the cost of a call is the same however many there were before it.

import type { Secp256k1 } from '../../crypto/secp256k1.ts';
import { nobleSecp256k1 } from '../../crypto/secp256k1-noble.ts';
import { bytesToHex } from '../../primitives/bytes.ts';
import { invariant } from '../../primitives/errors.ts';
import { POINTER_GAS } from '../../protocol/gas.ts';
import type { Message } from '../../protocol/message.ts';
import { createdAddressOf } from '../created-address.ts';
import type { CallOutcome, ItemCall, ItemExecutor } from '../item-executor.ts';
import { COINBASE_ADDRESS, COINBASE_HEX } from '../system-addresses.ts';
import { endCall, endPrecompile } from './call-opcodes.ts';
import { beginCreation, depositCode } from './create-opcodes.ts';
import { type EthereumRules, ethereumRulesOf } from './ethereum-rules.ts';
import { Frame } from './frame.ts';
import { environmentOf, type Machine, type Signal } from './machine.ts';
import { runPrecompile } from './precompiles.ts';
import { runFrame } from './run-frame.ts';
import { slotKeyOf, wordOf } from './words.ts';

const NO_DATA = new Uint8Array(0);
const PRECOMPILE_PREFIX = '0'.repeat(36);

/**
 * The executor that nodes use. Making one takes some milliseconds; keep one for blocks and another for simulations. Pass the native
 * secp256k1 where there is one: with the portable form a block full of ecrecover takes 5 s instead of 0.3 s, with equal results.
 */
export function createOwnLoopExecutor(evmChainId: number, secp256k1: Secp256k1 = nobleSecp256k1): ItemExecutor {
  const rules = ethereumRulesOf(evmChainId, secp256k1);
  let isBusy = false;
  return {
    name: 'own-loop',
    // All lie below 0x101: the first digits tell most others apart without hashing a string.
    isPrecompile: (addressHex) => addressHex.startsWith(PRECOMPILE_PREFIX) && rules.precompiles.has(addressHex),
    async execute(call) {
      invariant(!isBusy, 'one executor runs one item at a time');
      isBusy = true;
      try {
        return await executeItem(rules, evmChainId, call);
      } finally {
        isBusy = false;
      }
    },
  };
}

async function executeItem(rules: EthereumRules, evmChainId: number, item: ItemCall): Promise<CallOutcome> {
  const { message, state, context } = item;
  const machine: Machine = {
    rules,
    state,
    message,
    context,
    environment: environmentOf(message, context, COINBASE_ADDRESS, evmChainId, item.gasLimitSeenByCode),
    mayPause: item.pause !== undefined,
    work: 0,
    child: undefined,
    precompile: undefined,
  };
  warmUp(machine);
  if (message.target === undefined) return create(machine, item);
  const target = state.account(message.target, bytesToHex(message.target));
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
    const { success, gasUsed, output } = await runPrecompile(machine, target.addressHex, start);
    if (!success) state.revert(checkpoint);
    return { outcome: success ? 'success' : 'failure', gasUsed, returnData: output, createdAddress: undefined };
  }
  const frame = new Frame(start);
  return outcomeOf(message, frame, await runFrames(machine, frame, item.pause));
}

/** A transaction's creation: its address derives from the nonce that the message carries, and its pointer is paid before code runs. */
async function create(machine: Machine, item: ItemCall): Promise<CallOutcome> {
  const { message, state } = machine;
  const address = createdAddressOf(message.sender, message.creationNonce);
  const failed: CallOutcome = { outcome: 'failure', gasUsed: message.gasLimit, returnData: NO_DATA, createdAddress: undefined };
  if (message.gasLimit < POINTER_GAS) return failed;
  const frame = beginCreation(machine, {
    creator: undefined,
    address,
    initcode: message.data,
    valueWei: message.valueWei,
    family: state.family,
    depth: 0,
    gasLimit: message.gasLimit - POINTER_GAS,
  });
  if (frame === undefined) return failed;
  const outcome = outcomeOf(message, frame, await runFrames(machine, frame, item.pause));
  return outcome.outcome === 'success' ? { ...outcome, returnData: NO_DATA, createdAddress: address } : outcome;
}

// EIP-2929, EIP-2930, EIP-3651: each message starts with fresh access lists.
function warmUp({ state, message }: Machine): void {
  state.warmAddress(COINBASE_HEX);
  state.warmAddress(bytesToHex(message.sender));
  if (message.target !== undefined) state.warmAddress(bytesToHex(message.target));
  for (const { address, storageKeys } of message.accessList) {
    const addressHex = bytesToHex(address);
    state.warmAddress(addressHex);
    if (storageKeys.length === 0) continue;
    const account = state.account(address, addressHex);
    for (const key of storageKeys) state.warmSlot(state.overlay.slot(account, slotKeyOf(wordOf(key))));
  }
}

type End = 'done' | 'revert' | 'halt';

function outcomeOf(message: Message, frame: Frame, end: End): CallOutcome {
  const gasUsed = end === 'halt' ? message.gasLimit : message.gasLimit - frame.gasLeft;
  const outcome = end === 'done' ? 'success' : end === 'revert' ? 'revert' : 'failure';
  return { outcome, gasUsed, returnData: end === 'halt' ? NO_DATA : frame.output, createdAddress: undefined };
}

/** Runs a frame and all that it calls. */
async function runFrames(machine: Machine, first: Frame, pause: (() => Promise<void>) | undefined): Promise<End> {
  const callers: Frame[] = [];
  let frame = first;
  while (true) {
    const signal = runFrame(machine, frame);
    if (signal === 'pause') {
      await pause?.();
    } else if (signal === 'precompile') {
      await awaitPrecompile(machine, frame);
    } else if (signal === 'child') {
      invariant(machine.child !== undefined, 'a call leaves its frame to the loop');
      callers.push(frame);
      frame = machine.child;
      machine.child = undefined;
    } else {
      const end = settle(machine, frame, signal);
      const caller = callers.pop();
      if (caller === undefined) return end;
      resume(caller, frame, end);
      frame = caller;
    }
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
  const { isCreation, checkpoint } = frame.start;
  const end = signal === 'done' && isCreation && !depositCode(machine, frame) ? 'halt' : signal;
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
