// Executes one workload under any layout: shards are parts of a state in memory, and what one gives out the others take in with their next
// blocks. Beside it the second interpreter, which knows neither waves nor blocks: a queue for each family, and one message at a time.
import assert from 'node:assert/strict';
import type { BlockResult } from '../../../src/core/execution/executed-block.ts';
import { bytesToHex } from '../../../src/core/primitives/bytes.ts';
import type { Address, Hex } from '../../../src/core/primitives/ids.ts';
import type { Message, MessageResult } from '../../../src/core/protocol/message.ts';
import { decodeMessage, encodeMessage } from '../../../src/core/protocol/message-codec.ts';
import type { Transaction } from '../../../src/core/protocol/transaction.ts';
import { accountKey } from '../../../src/core/state/key.ts';
import { runBlock } from './block-setup.ts';
import { MemoryState } from './memory-state.ts';
import { nameOf, PlainChain } from './plain-chain.ts';

/** Complete covers of the tree by two to four shards, by generalized index. */
export const LAYOUTS: readonly (readonly number[])[] = [
  [2, 3],
  [4, 5, 3],
  [2, 6, 7],
  [4, 5, 6, 7],
  [8, 9, 5, 3],
];

/** A message under way at most so long: hops, and a bounce. */
const ROUNDS_MAX = 200;

/** What a workload came to: the state, all results in the order of execution of each shard, and who got how much. */
export interface Settled {
  readonly state: MemoryState;
  readonly results: readonly MessageResult[];
  readonly feesWei: bigint;
  /** For each block that was executed: its shard's items as they came. */
  readonly blocks: readonly { readonly transactions: readonly Transaction[]; readonly result: BlockResult }[];
}

/** Whether the family lies in the shard: its key begins with the path from the root to the shard. */
export function isInShard(family: Address, shard: number): boolean {
  const depth = 31 - Math.clz32(shard);
  const { bytes } = accountKey(family, family);
  const top = ((bytes[0] as number) << 8) | (bytes[1] as number);
  return top >>> (16 - depth) === shard - 2 ** depth;
}

class Shards {
  readonly layout: readonly number[];
  readonly states: MemoryState[];
  readonly blocks: { readonly transactions: readonly Transaction[]; readonly result: BlockResult }[] = [];
  feesWei = 0n;
  readonly #totalWei: bigint;

  constructor(state: MemoryState, layout: readonly number[]) {
    this.layout = layout;
    this.states = layout.map((shard) => state.only((family) => isInShard(family, shard)));
    this.#totalWei = state.totalWei();
  }

  shardOf(family: Address): number {
    const places = this.layout.flatMap((shard, place) => (isInShard(family, shard) ? [place] : []));
    assert.equal(places.length, 1, 'a layout is a complete cover');
    return places[0] as number;
  }

  async execute(place: number, inbox: readonly Message[], body: readonly Transaction[], isEachAlone: boolean): Promise<BlockResult> {
    const state = this.states[place] as MemoryState;
    const isOwnFamily = (family: Address) => !isEachAlone && this.shardOf(family) === place;
    const result = await runBlock(state, body, { inbox, isOwnFamily, outboxRootOf: () => new Uint8Array(32).fill(1) });
    this.states[place] = state.after(result.changeSet);
    this.blocks.push({ transactions: body, result });
    this.feesWei += result.burnedFeesWei + result.proposerFeesWei;
    return { ...result, outbox: result.outbox.map(overTheWire) };
  }

  assertNothingLost(underWay: readonly Message[]): void {
    const held = this.states.reduce((sum, state) => sum + state.totalWei(), 0n);
    const carried = underWay.reduce((sum, { valueWei, travellingTipWei }) => sum + valueWei + travellingTipWei, 0n);
    assert.equal(held + carried + this.feesWei, this.#totalWei, 'no wei is lost or made between shards');
  }

  settled(): Settled {
    const { states, blocks, feesWei } = this;
    return { state: MemoryState.join(states), results: blocks.flatMap(({ result }) => result.messages), feesWei, blocks };
  }
}

/** As it comes to another shard: all of a message is in its encoding. */
function overTheWire(message: Message): Message {
  const decoded = decodeMessage(encodeMessage(message));
  assert.ok(decoded.ok, 'whatever is emitted has an encoding');
  return decoded.value;
}

/** Each shard goes on by itself; what it gives out is in the inboxes of the next blocks, source by source. */
export async function settleFreely(state: MemoryState, body: readonly Transaction[], layout: readonly number[]): Promise<Settled> {
  const shards = new Shards(state, layout);
  let underWay: Message[] = [];
  for (let round = 0; round === 0 || underWay.length > 0; round++) {
    assert.ok(round < ROUNDS_MAX, 'a workload settles');
    const next: Message[] = [];
    for (let place = 0; place < layout.length; place++) {
      const inbox = underWay.filter(({ targetFamily }) => shards.shardOf(targetFamily) === place);
      const own = round > 0 ? [] : body.filter(({ sender }) => shards.shardOf(sender) === place);
      next.push(...(await shards.execute(place, inbox, own, false)).outbox);
    }
    underWay = next;
    shards.assertNothingLost(underWay);
  }
  return shards.settled();
}

/**
 * Wave by wave: a block of each shard is one wave, every message goes by way of an outbox, and inboxes are in the order that the waves of one
 * block would have. So each family meets the same items in the same order as if all were one shard, however much is under way at once.
 */
export async function settleInStep(state: MemoryState, body: readonly Transaction[], layout: readonly number[]): Promise<Settled> {
  const shards = new Shards(state, layout);
  const mainCalls = new Map<Hex, Message>();
  for (let place = 0; place < layout.length; place++) {
    const own = body.filter(({ sender }) => shards.shardOf(sender) === place);
    for (const call of (await shards.execute(place, [], own, true)).outbox) mainCalls.set(bytesToHex(call.emitterId), call);
  }
  let wave = body.map(({ hashHex }) => mainCalls.get(hashHex) as Message);
  const results: MessageResult[] = [];
  for (let number = 1; wave.length > 0; number++) {
    assert.ok(number < ROUNDS_MAX, 'a workload settles');
    const came: { readonly result: MessageResult; readonly emitted: readonly Message[] }[] = [];
    for (let place = 0; place < layout.length; place++) {
      const inbox = wave.filter(({ targetFamily }) => shards.shardOf(targetFamily) === place);
      const { messages, outbox } = await shards.execute(place, inbox, [], true);
      let emittedBefore = 0;
      for (const [index, result] of messages.entries()) {
        const emitted = outbox.slice(emittedBefore, emittedBefore + result.emitted.length);
        emittedBefore += emitted.length;
        came[wave.indexOf(inbox[index] as Message)] = { result, emitted };
      }
    }
    results.push(...came.map(({ result }) => ({ ...result, wave: number })));
    wave = came.flatMap(({ emitted }) => emitted);
    shards.assertNothingLost(wave);
  }
  return { ...shards.settled(), results };
}

/** Which of so many families with work goes on next. */
export type Pick = (count: number) => number;

/** No waves, no blocks, no shards: each family has a queue and reads nothing but itself; `pick` says whose turn it is. */
export async function settleOneByOne(state: MemoryState, transaction: Transaction, pick: Pick): Promise<Settled> {
  const chain = new PlainChain(state);
  const queues = new Map<Hex, string[]>();
  const post = (messages: Iterable<Message>) => {
    for (const message of messages) {
      const familyHex = bytesToHex(message.targetFamily);
      queues.set(familyHex, [...(queues.get(familyHex) ?? []), nameOf(message)]);
    }
  };
  chain.begin(transaction);
  post(chain.waiting.values());
  const results: MessageResult[] = [];
  for (;;) {
    const waiting = [...queues.values()].filter((queue) => queue.length > 0);
    if (waiting.length === 0) break;
    const queue = waiting[pick(waiting.length)] as string[];
    const { result, emitted } = await chain.execute(queue.shift() as string);
    results.push({ ...result, wave: 0 });
    post(emitted);
  }
  return { state: chain.state(), results, feesWei: chain.feesWei, blocks: [] };
}

/** Whether two messages to one family were under way at once: neither caused the other. Then their order is the layout's to choose. */
export function isConcurrent(results: readonly MessageResult[]): boolean {
  const causes = new Map<string, readonly string[]>();
  const nameOf = (message: Message) => `${bytesToHex(message.id)}/${message.hop}`;
  const newest = new Map<Hex, string>();
  const inFamily = new Map<Hex, string[]>();
  for (const { message } of results) {
    const name = nameOf(message);
    const cause = newest.get(bytesToHex(message.id)) ?? newest.get(bytesToHex(message.emitterId));
    causes.set(name, cause === undefined ? [] : [...(causes.get(cause) ?? []), cause]);
    newest.set(bytesToHex(message.id), name);
    const familyHex = bytesToHex(message.targetFamily);
    inFamily.set(familyHex, [...(inFamily.get(familyHex) ?? []), name]);
  }
  return [...inFamily.values()].some((names) =>
    names.some((name, place) => place > 0 && causes.get(name)?.includes(names[place - 1] as string) !== true),
  );
}
