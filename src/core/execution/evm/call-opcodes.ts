// CALL and its kin: gas, the rules between families, and the frame that runs next.
import type { Hex } from '../../primitives/ids.ts';
import { HOPS_MAX, SEND_GAS } from '../../protocol/gas.ts';
import { type CallKind, type CallRoute, foreignCallError, routeCall } from '../family-rules.ts';
import type { AccountEntry, FamilyEntry } from '../state-overlay.ts';
import { MESSENGER_HEX } from '../system-addresses.ts';
import { Frame } from './frame.ts';
import { CALL_DEPTH_MAX, CALL_STIPEND_GAS, CALL_VALUE_GAS, KEPT_GAS_DIVISOR } from './gas-costs.ts';
import { halt } from './halt.ts';
import type { Machine, PrecompileResult, Signal } from './machine.ts';
import { payForSend, sendByMessenger } from './messenger-call.ts';
import { runPrecompile } from './precompiles.ts';
import { accountAccessGas, worldFamilyOf } from './state-opcodes.ts';
import { addressBytesOf, addressHexOf, toOffset } from './words.ts';

const NO_DATA = new Uint8Array(0);

/** A call's operands. */
interface CallOperands {
  readonly kind: CallKind;
  readonly requestedGas: bigint;
  readonly targetHex: Hex;
  readonly valueWei: bigint;
  readonly inputOffset: number;
  readonly inputLength: number;
  readonly outputOffset: number;
  readonly outputLength: number;
}

/** CALL, CALLCODE, DELEGATECALL, STATICCALL. */
export function call(machine: Machine, frame: Frame, kind: CallKind): Signal | undefined {
  const operands = popOperands(frame, kind);
  const { state } = machine;
  const isStatic = frame.start.isStatic || kind === 'staticcall';
  const hasValue = operands.valueWei !== 0n && kind !== 'delegatecall';
  if (kind === 'call' && frame.start.isStatic && hasValue) halt('write-protection');
  const { family } = frame.start;
  // Paid before it is read: a frame with too little gas must not cost a read from disk.
  frame.useGas(accountAccessGas(machine, operands.targetHex));
  const target = state.account(addressBytesOf(operands.targetHex), operands.targetHex, family);
  const isMessenger = operands.targetHex === MESSENGER_HEX;
  const gasLimit = payForCall(frame, operands, hasValue, hasValue && target.value === undefined && !isMessenger);
  const request = isMessenger ? payForSend(frame, kind, operands.inputOffset, operands.inputLength) : undefined;
  const stipend = hasValue ? CALL_STIPEND_GAS : 0;
  frame.returnData = NO_DATA;
  const hasFunds = !hasValue || (frame.self.value?.balanceWei ?? 0n) >= operands.valueWei;
  if (frame.start.depth >= CALL_DEPTH_MAX || !hasFunds) {
    frame.gasLeft += stipend; // As in Ethereum: the call that did not begin gives back all that it was given.
    frame.stack.push(0n);
    return undefined;
  }
  const route = routeCall({
    kind,
    isStaticFrame: frame.start.isStatic,
    hasValue,
    hasData: operands.inputLength > 0,
    isPrecompile: machine.rules.precompiles.has(operands.targetHex),
    isMessenger,
    isOfFamily: target.value !== undefined || operands.targetHex === family.familyHex,
  });
  if (route === 'foreign-call' && mayReadWorld(machine, kind, hasValue, operands.targetHex)) {
    const targetFamily = worldFamilyOf(machine, operands.targetHex);
    const foreign = state.account(target.address, target.addressHex, targetFamily);
    return enter(machine, frame, { operands, target: foreign, family: targetFamily, isStatic: true, gasLimit, stipend: 0 });
  }
  if (route === 'messenger') {
    const { success, output } = sendByMessenger(machine, frame, request, operands.valueWei);
    frame.returnData = output;
    writeOutput(frame, operands.outputOffset, operands.outputLength);
    frame.stack.push(success ? 1n : 0n);
    return undefined;
  }
  if (route !== 'local') return callForeign(machine, frame, operands, target, route);
  return enter(machine, frame, { operands, target, family, isStatic, gasLimit, stipend });
}

// eth_call reads other families, by calls that could change nothing (protocol, section 7).
function mayReadWorld(machine: Machine, kind: CallKind, hasValue: boolean, targetHex: Hex): boolean {
  return machine.state.readsWorld && !hasValue && (kind === 'call' || kind === 'staticcall') && targetHex !== MESSENGER_HEX;
}

function popOperands(frame: Frame, kind: CallKind): CallOperands {
  const { stack } = frame;
  const takesValue = kind === 'call' || kind === 'callcode';
  stack.need(takesValue ? 7 : 6);
  const requestedGas = stack.pop();
  const targetHex = addressHexOf(stack.pop());
  const valueWei = takesValue ? stack.pop() : kind === 'delegatecall' ? frame.start.valueWei : 0n;
  const inputWord = stack.pop();
  const inputLength = toOffset(stack.pop());
  const outputWord = stack.pop();
  const outputLength = toOffset(stack.pop());
  return {
    kind,
    requestedGas,
    targetHex,
    valueWei,
    inputOffset: inputLength === 0 ? 0 : toOffset(inputWord),
    inputLength,
    outputOffset: outputLength === 0 ? 0 : toOffset(outputWord),
    outputLength,
  };
}

// Charges the rest of the call itself; gives the gas of the callee, stipend not counted, which is charged when it begins.
function payForCall(frame: Frame, operands: CallOperands, hasValue: boolean, isForeign: boolean): number {
  frame.useGas(frame.memoryGas(operands.inputOffset, operands.inputLength));
  frame.useGas(frame.memoryGas(operands.outputOffset, operands.outputLength));
  let gas = hasValue ? CALL_VALUE_GAS : 0;
  // In the place of Ethereum's new-account charge, before the 63/64 rule, and kept if the call fails.
  if (isForeign && operands.kind === 'call') gas += SEND_GAS;
  frame.useGas(gas);
  const available = frame.gasLeft - Math.floor(frame.gasLeft / KEPT_GAS_DIVISOR);
  return operands.requestedGas >= BigInt(available) ? available : Number(operands.requestedGas);
}

// No callee runs: the gas argument is ignored and no stipend added.
function callForeign(machine: Machine, frame: Frame, operands: CallOperands, target: AccountEntry, route: CallRoute): undefined {
  const { state, message } = machine;
  if (route === 'foreign-call') {
    frame.returnData = foreignCallError(target.address);
    writeOutput(frame, operands.outputOffset, operands.outputLength);
    frame.stack.push(0n);
    return undefined;
  }
  if (route === 'send') {
    if (message.hop >= HOPS_MAX) {
      frame.stack.push(0n);
      return undefined;
    }
    state.addBalance(frame.self, -operands.valueWei);
    state.emit({ kind: 'value-send', from: frame.self.address, to: target.address, valueWei: operands.valueWei });
  }
  frame.stack.push(1n);
  return undefined;
}

interface Entry {
  readonly operands: CallOperands;
  readonly target: AccountEntry;
  readonly family: FamilyEntry;
  readonly isStatic: boolean;
  readonly gasLimit: number;
  readonly stipend: number;
}

function enter(machine: Machine, frame: Frame, entry: Entry): Signal | undefined {
  const { operands, target, gasLimit, stipend } = entry;
  const { state } = machine;
  const { kind } = operands;
  const checkpoint = state.checkpoint();
  if (kind === 'call' && operands.valueWei !== 0n && target !== frame.self) {
    state.addBalance(frame.self, -operands.valueWei);
    state.addBalance(target, operands.valueWei);
  }
  const isPrecompile = machine.rules.precompiles.has(operands.targetHex);
  const code = isPrecompile ? NO_DATA : state.overlay.code(target);
  if (!isPrecompile && code.length === 0) {
    frame.gasLeft += stipend;
    frame.stack.push(1n);
    return undefined;
  }
  const runsAsCaller = kind === 'callcode' || kind === 'delegatecall';
  frame.gasLeft -= gasLimit;
  const start = {
    self: runsAsCaller ? frame.self : target,
    family: entry.family,
    caller: kind === 'delegatecall' ? frame.start.caller : frame.self.address,
    callData: frame.memory.view(operands.inputOffset, operands.inputLength),
    valueWei: operands.valueWei,
    code,
    isCreation: false,
    isStatic: entry.isStatic,
    depth: frame.start.depth + 1,
    gasLimit: gasLimit + stipend,
    checkpoint,
    outputOffset: operands.outputOffset,
    outputLength: operands.outputLength,
  };
  if (!isPrecompile) {
    machine.child = new Frame(start);
    return 'child';
  }
  const result = runPrecompile(machine, operands.targetHex, start);
  if (result instanceof Promise) {
    machine.precompile = { result, start };
    return 'precompile';
  }
  endPrecompile(machine, frame, result, start);
  return undefined;
}

/** A precompile has answered: the end of the call that asked it. */
export function endPrecompile(machine: Machine, frame: Frame, result: PrecompileResult, start: Frame['start']): void {
  if (!result.success) machine.state.revert(start.checkpoint);
  endCall(frame, result.success, start.gasLimit - result.gasUsed, result.output, start);
}

/** What the caller sees of a callee's end. */
export function endCall(frame: Frame, success: boolean, gasLeft: number, output: Uint8Array, start: Frame['start']): void {
  frame.gasLeft += gasLeft;
  frame.returnData = output;
  writeOutput(frame, start.outputOffset, start.outputLength);
  frame.stack.push(success ? 1n : 0n);
}

function writeOutput(frame: Frame, offset: number, length: number): void {
  frame.memory.write(offset, frame.returnData, 0, Math.min(length, frame.returnData.length));
}
