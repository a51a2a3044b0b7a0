// Clients that read: at random moments they ask random nodes through the production JSON-RPC methods, everything but HTTP, and they follow
// new heads by subscription. What they were told goes to whoever checks it.
import { bytesToPrefixedHex } from '../core/primitives/bytes.ts';
import type { Address, ChainId, Height } from '../core/primitives/ids.ts';
import type { ViewBlock } from '../core/view/view-block.ts';
import type { Node } from '../node/create-node.ts';
import { Connection } from '../rpc/connection.ts';
import { createDispatcher, type Dispatcher, type RpcResponse } from '../rpc/dispatch.ts';
import { type JsonObject, type JsonValue, quantity } from '../rpc/json.ts';
import { DEFAULT_RPC_LIMITS } from '../rpc/limits.ts';
import type { SeededRandom } from './random.ts';
import { viewOf } from './view-of.ts';
import { wordOf } from './workload.ts';
import type { World } from './world.ts';

/** What a client asks. `latest` and its two other names are the newest block. */
export type Question =
  | { readonly kind: 'head' }
  | { readonly kind: 'block'; readonly number: number | 'latest' | 'safe' | 'finalized'; readonly isWhole: boolean }
  | { readonly kind: 'block-by-hash'; readonly number: number; readonly hashHex: string }
  | { readonly kind: 'receipts'; readonly number: number }
  | { readonly kind: 'receipt' | 'transaction'; readonly number: number; readonly index: number; readonly hashHex: string }
  | { readonly kind: 'balance' | 'nonce' | 'code'; readonly address: Address; readonly number: number | 'latest' }
  | { readonly kind: 'storage'; readonly address: Address; readonly slot: number; readonly number: number | 'latest' }
  | { readonly kind: 'call'; readonly from: Address; readonly to: Address; readonly about: Address; readonly number: number | 'latest' }
  | { readonly kind: 'supply'; readonly number: number | 'latest' }
  | { readonly kind: 'logs'; readonly from: number; readonly to: number };

/** A question with its answer: of one life of a node, whose head was so high before and after. */
export interface Answer {
  readonly index: number;
  readonly question: Question;
  readonly response: RpcResponse;
  readonly headBefore: number;
  readonly headAfter: number;
  /** Of each shard, the oldest state that the node served then: older ones may be pruned. */
  readonly servedFrom: ReadonlyMap<ChainId, Height>;
}

/** A new head that a subscription told of, with the one that it told of before. */
export interface HeadNews {
  readonly index: number;
  readonly header: JsonObject;
  readonly before: JsonObject | undefined;
}

/** What readers are made of. */
export interface ReadersOptions {
  readonly world: World;
  readonly random: SeededRandom;
  readonly addresses: readonly Address[];
  /** Where there may be code. */
  readonly contracts: () => readonly Address[];
  /** What clients know of blocks from elsewhere: hashes to ask for. */
  readonly blockAt: (number: number) => ViewBlock | undefined;
  /** Nodes whose word counts. */
  readonly isHonest: (index: number) => boolean;
  readonly onAnswer: (answer: Answer) => void;
  /** A node that runs has not answered. */
  readonly onSilence: (index: number, question: Question) => void;
  readonly onHead: (news: HeadNews) => void;
}

interface Open {
  readonly node: Node;
  readonly dispatcher: Dispatcher;
}

interface Asked {
  readonly index: number;
  readonly node: Node;
  readonly question: Question;
  readonly dueMs: number;
}

const LOG_BLOCKS_MAX = 6;
/** What is asked needs no other node, and nothing but reads. */
const ANSWER_MS_MAX = 2_000;
/** Slots that the contracts of clients use. */
const SLOTS = 2;
/** Most ask about the newest few blocks. */
const RECENT_BLOCKS = 8;

/** See the file's head. */
export class Readers {
  readonly #options: ReadersOptions;
  /** By node: the dispatcher of its present life. */
  readonly #open = new Map<number, Open>();
  /** By number of the question: what is not answered. */
  readonly #unanswered = new Map<number, Asked>();
  #lastId = 0;
  #asked = 0;
  #isStopped = false;

  constructor(options: ReadersOptions) {
    this.#options = options;
  }

  /** Questions asked so far. */
  get asked(): number {
    return this.#asked;
  }

  /** Begins: so many questions a second on average. */
  start(perSecond: number): void {
    const { world, random } = this.#options;
    const next = (): void => {
      if (this.#isStopped) return;
      this.#askSomething();
      world.clock.schedule(random.exponential(1_000 / perSecond), next);
    };
    world.clock.schedule(random.exponential(1_000 / perSecond), next);
  }

  stop(): void {
    this.#isStopped = true;
    this.#noticeSilence();
  }

  // In the order of the questions: the first that is not due ends it. Nobody waits for a process that has ended.
  #noticeSilence(): void {
    const { world, onSilence } = this.#options;
    for (const [number, { index, node, question, dueMs }] of this.#unanswered) {
      if (dueMs > world.clock.nowMs()) return;
      this.#unanswered.delete(number);
      if (this.#isAlive(index, node)) onSilence(index, question);
    }
  }

  #askSomething(): void {
    const { world, random, isHonest, onAnswer } = this.#options;
    const index = random.integer(0, world.nodes.length);
    const node = world.nodes[index];
    if (node?.view === undefined || !world.isUp(index) || !isHonest(index)) return;
    const { dispatcher } = this.#openedOf(index, node);
    const question = this.#choose(node);
    const headBefore = headOf(node);
    const number = ++this.#asked;
    this.#noticeSilence();
    this.#unanswered.set(number, { index, node, question, dueMs: world.clock.nowMs() + ANSWER_MS_MAX });
    dispatcher.handle({ jsonrpc: '2.0', id: number, ...requestOf(question) }).then((response) => {
      this.#unanswered.delete(number);
      // Nobody hears what a process said that has ended.
      if (response !== undefined && this.#isAlive(index, node))
        onAnswer({ index, question, response, headBefore, headAfter: headOf(node), servedFrom: servedBy(node) });
    });
  }

  #isAlive(index: number, node: Node): boolean {
    const { world } = this.#options;
    return world.isUp(index) && world.nodes[index] === node;
  }

  #openedOf(index: number, node: Node): Open {
    const before = this.#open.get(index);
    if (before?.node === node) return before;
    const newId = (): string => quantity(++this.#lastId);
    const dispatcher = createDispatcher({ ports: this.#options.world.rpcPorts(index), limits: DEFAULT_RPC_LIMITS, newId });
    const opened = { node, dispatcher };
    this.#open.set(index, opened);
    this.#followHeads(index, opened, newId);
    return opened;
  }

  #followHeads(index: number, { node, dispatcher }: Open, newId: () => string): void {
    const { onHead } = this.#options;
    let before: JsonObject | undefined;
    const send = (text: string): void => {
      if (!this.#isAlive(index, node)) return;
      const { params } = JSON.parse(text) as { readonly params: { readonly result: JsonObject } };
      onHead({ index, header: params.result, before });
      before = params.result;
    };
    const connection = new Connection(send, newId, 1, () => undefined);
    const request = { jsonrpc: '2.0', id: 0, method: 'eth_subscribe', params: ['newHeads'] };
    dispatcher.handle(request, connection).then((response) => {
      if (response !== undefined && 'result' in response) connection.release(response.result as string);
    });
  }

  #choose(node: Node): Question {
    const { random, addresses, contracts, blockAt } = this.#options;
    const number = this.#someNumber(headOf(node));
    const block = number <= headOf(node) ? blockAt(number) : undefined;
    const address = random.pick(random.chance(0.5) ? addresses : [...addresses, ...contracts()]);
    const named = random.pick(['latest', 'safe', 'finalized'] as const);
    const at = random.chance(0.5) ? ('latest' as const) : number;
    switch (random.integer(0, 13)) {
      case 0:
        return { kind: 'head' };
      case 1:
        return { kind: 'block', number: named, isWhole: random.chance(0.5) };
      case 2:
        return { kind: 'receipts', number };
      case 3:
        return { kind: 'balance', address, number: at };
      case 4:
        return { kind: 'nonce', address, number: at };
      case 5:
        return { kind: 'logs', from: Math.max(0, number - random.integer(0, LOG_BLOCKS_MAX)), to: number };
      case 6:
        return { kind: 'code', address, number: at };
      case 7:
        return { kind: 'storage', address, slot: random.integer(0, SLOTS), number: at };
      case 8:
        return { kind: 'call', from: random.pick(addresses), to: address, about: random.pick(addresses), number: at };
      case 9:
        return { kind: 'supply', number: at };
      case 10:
        if (block !== undefined) return { kind: 'block-by-hash', number, hashHex: block.hashHex };
        break;
      default: {
        // Of a block that this node may not show yet, too: what others show is here soon, and then for ever.
        const other = block ?? blockAt(number);
        const index = other === undefined || other.transactions.length === 0 ? undefined : random.integer(0, other.transactions.length);
        const hashHex = index === undefined ? undefined : other?.transactions[index]?.transaction.hashHex;
        const kind = random.chance(0.5) ? 'receipt' : 'transaction';
        if (index !== undefined && hashHex !== undefined) return { kind, number, index, hashHex };
      }
    }
    return { kind: 'block', number, isWhole: random.chance(0.5) };
  }

  // One above the head now and then: it must not be there yet.
  #someNumber(head: number): number {
    const { random } = this.#options;
    return random.chance(0.7) ? Math.max(0, head + 1 - random.integer(0, RECENT_BLOCKS)) : random.integer(0, head + 2);
  }
}

function headOf(node: Node): number {
  return viewOf(node).head.block.header.number;
}

// Of each shard, which states the node serves.
function servedBy({ shards }: Node): Answer['servedFrom'] {
  return new Map([...shards.chains.keys()].map((shard) => [shard, shards.servedFrom(shard)]));
}

function requestOf(question: Question): { readonly method: string; readonly params: readonly JsonValue[] } {
  switch (question.kind) {
    case 'head':
      return { method: 'eth_blockNumber', params: [] };
    case 'block':
      return { method: 'eth_getBlockByNumber', params: [selectorOf(question.number), question.isWhole] };
    case 'block-by-hash':
      return { method: 'eth_getBlockByHash', params: [`0x${question.hashHex}`, false] };
    case 'receipts':
      return { method: 'eth_getBlockReceipts', params: [quantity(question.number)] };
    case 'receipt':
      return { method: 'eth_getTransactionReceipt', params: [`0x${question.hashHex}`] };
    case 'transaction':
      return { method: 'eth_getTransactionByHash', params: [`0x${question.hashHex}`] };
    case 'code':
      return { method: 'eth_getCode', params: [bytesToPrefixedHex(question.address), selectorOf(question.number)] };
    case 'storage': {
      const { address, slot, number } = question;
      return { method: 'eth_getStorageAt', params: [bytesToPrefixedHex(address), quantity(slot), selectorOf(number)] };
    }
    case 'call':
      return { method: 'eth_call', params: [callOf(question), selectorOf(question.number)] };
    case 'supply':
      return { method: 'coppice_getSupply', params: [selectorOf(question.number)] };
    case 'balance':
      return { method: 'eth_getBalance', params: [bytesToPrefixedHex(question.address), selectorOf(question.number)] };
    case 'nonce':
      return { method: 'eth_getTransactionCount', params: [bytesToPrefixedHex(question.address), selectorOf(question.number)] };
    case 'logs':
      return { method: 'eth_getLogs', params: [{ fromBlock: quantity(question.from), toBlock: quantity(question.to) }] };
  }
}

function selectorOf(number: number | string): string {
  return typeof number === 'number' ? quantity(number) : number;
}

function callOf({ from, to, about }: Extract<Question, { readonly kind: 'call' }>): JsonObject {
  const [sender, target, data] = [from, to, wordOf(about)].map(bytesToPrefixedHex) as [string, string, string];
  return { from: sender, to: target, data };
}
