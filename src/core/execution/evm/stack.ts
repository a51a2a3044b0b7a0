// The stack of a frame, with the methods that the library's arithmetic calls. Items above `length` are stale and never read.
import { halt } from './halt.ts';

/** EVM: at most 1,024 items. */
const STACK_ITEMS_MAX = 1_024;
const KEPT_ITEMS_MAX = 64;

export class Stack {
  readonly items: bigint[] = [];
  length = 0;
  /** Of the operation that found too few items: how many it takes. */
  needed = 0;

  /** Empty again, for another frame. A stack that grew tall is cut, so that it keeps no words alive. */
  clear(): void {
    if (this.items.length > KEPT_ITEMS_MAX) this.items.length = 0;
    this.length = 0;
  }

  push(value: bigint): void {
    if (this.length >= STACK_ITEMS_MAX) halt('stack-overflow');
    this.items[this.length++] = value;
  }

  pop(): bigint {
    if (this.length < 1) underflow(this, 1);
    return this.items[--this.length] as bigint;
  }

  popN(count: number): bigint[] {
    if (this.length < count) underflow(this, count);
    const popped: bigint[] = new Array(count);
    for (let i = 0; i < count; i++) popped[i] = this.items[--this.length] as bigint;
    return popped;
  }

  peek(count: number): bigint[] {
    if (this.length < count) underflow(this, count);
    const seen: bigint[] = new Array(count);
    for (let i = 0; i < count; i++) seen[i] = this.items[this.length - 1 - i] as bigint;
    return seen;
  }

  /** Halts unless there are `count` items. */
  need(count: number): void {
    if (this.length < count) underflow(this, count);
  }

  dup(position: number): void {
    if (this.length < position) underflow(this, position);
    if (this.length >= STACK_ITEMS_MAX) halt('stack-overflow');
    this.items[this.length] = this.items[this.length - position] as bigint;
    this.length++;
  }

  swap(position: number): void {
    const head = this.length - 1;
    if (head < position) underflow(this, position + 1);
    const { items } = this;
    const top = items[head] as bigint;
    items[head] = items[head - position] as bigint;
    items[head - position] = top;
  }
}

function underflow(stack: Stack, needed: number): never {
  stack.needed = needed;
  halt('stack-underflow');
}
