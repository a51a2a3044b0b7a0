// Opcodes that move data: memory copies, KECCAK256, logs, and the ends RETURN and REVERT.
import { keccak256 } from '../../crypto/keccak.ts';
import type { Frame } from './frame.ts';
import { COPY_WORD_GAS, KECCAK_GAS, KECCAK_WORD_GAS, LOG_BYTE_GAS, LOG_GAS, LOG_TOPIC_GAS, VERY_LOW_GAS } from './gas-costs.ts';
import { halt } from './halt.ts';
import type { Machine } from './machine.ts';
import { bytes32Of, toDataOffset, toOffset, wordOf } from './words.ts';

const LOG0 = 0xa0;

function wordsOf(length: number): number {
  return Math.ceil(length / 32);
}

/** An offset counts only where there is a length. */
function offsetFor(word: bigint, length: number): number {
  return length === 0 ? 0 : toOffset(word);
}

/** CALLDATACOPY, CODECOPY. */
export function copyToMemory(frame: Frame, source: Uint8Array): void {
  const { stack } = frame;
  stack.need(3);
  const target = stack.pop();
  const from = toDataOffset(stack.pop());
  const length = toOffset(stack.pop());
  const offset = offsetFor(target, length);
  frame.useGas(VERY_LOW_GAS + COPY_WORD_GAS * wordsOf(length) + frame.memoryGas(offset, length));
  frame.memory.write(offset, source, from, length);
}

/** RETURNDATACOPY: reading beyond the data halts. */
export function copyReturnData(frame: Frame): void {
  const { items, length: height } = frame.stack;
  frame.stack.need(3);
  const end = (items[height - 2] as bigint) + (items[height - 3] as bigint);
  if (end > BigInt(frame.returnData.length)) halt('return-data-out-of-bounds');
  copyToMemory(frame, frame.returnData);
}

/** EXTCODECOPY, after the address has been taken from the stack and its access paid. */
export function copyCode(frame: Frame, code: Uint8Array): void {
  const { stack } = frame;
  const target = stack.pop();
  const from = toDataOffset(stack.pop());
  const length = toOffset(stack.pop());
  const offset = offsetFor(target, length);
  frame.useGas(COPY_WORD_GAS * wordsOf(length) + frame.memoryGas(offset, length));
  frame.memory.write(offset, code, from, length);
}

/** MCOPY (EIP-5656): source and target may overlap. */
export function copyMemory(frame: Frame): void {
  const { stack, memory } = frame;
  stack.need(3);
  const targetWord = stack.pop();
  const sourceWord = stack.pop();
  const length = toOffset(stack.pop());
  const target = offsetFor(targetWord, length);
  const source = offsetFor(sourceWord, length);
  frame.useGas(VERY_LOW_GAS + COPY_WORD_GAS * wordsOf(length) + frame.memoryGas(Math.max(target, source), length));
  if (length === 0) return;
  memory.extend(Math.max(target, source) + length);
  memory.bytes.copyWithin(target, source, source + length);
}

/** KECCAK256. */
export function hashMemory(machine: Machine, frame: Frame): void {
  const { stack } = frame;
  stack.need(2);
  const offsetWord = stack.pop();
  const length = toOffset(stack.pop());
  const offset = offsetFor(offsetWord, length);
  frame.useGas(KECCAK_GAS + KECCAK_WORD_GAS * wordsOf(length) + frame.memoryGas(offset, length));
  machine.work += length >>> 4;
  stack.push(wordOf(keccak256(frame.memory.view(offset, length))));
}

/** LOG0 to LOG4. */
export function log(machine: Machine, frame: Frame, opcode: number): void {
  if (frame.start.isStatic) halt('write-protection');
  const { stack } = frame;
  const topicCount = opcode - LOG0;
  stack.need(2 + topicCount);
  const offsetWord = stack.pop();
  const length = toOffset(stack.pop());
  const offset = offsetFor(offsetWord, length);
  frame.useGas(LOG_GAS + LOG_TOPIC_GAS * topicCount + LOG_BYTE_GAS * length + frame.memoryGas(offset, length));
  const topics: Uint8Array[] = [];
  for (let i = 0; i < topicCount; i++) topics.push(bytes32Of(stack.pop()));
  machine.state.addLog({ address: frame.self.address, topics, data: frame.memory.copy(offset, length) });
}

/** RETURN and REVERT: sets the frame's output. */
export function setOutput(frame: Frame): void {
  const { stack } = frame;
  stack.need(2);
  const offsetWord = stack.pop();
  const length = toOffset(stack.pop());
  const offset = offsetFor(offsetWord, length);
  frame.useGas(frame.memoryGas(offset, length));
  frame.output = frame.memory.copy(offset, length);
}
