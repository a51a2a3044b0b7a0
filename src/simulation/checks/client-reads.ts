// Durability as clients see it: nothing that JSON-RPC has shown as final ever changes, goes back or vanishes, on any node, whatever happens to it;
// and what is read is what the replay computed. A node on an old copy of its database may know less than it showed, never another thing.
import type { Address } from '../../core/primitives/ids.ts';
import type { StateReader } from '../../core/state/state-reader.ts';
import type { ViewBlock } from '../../core/view/view-block.ts';
import { accountAt } from '../../rpc/account-lookup.ts';
import { formatBlock, formatHeader } from '../../rpc/format-block.ts';
import { formatLog, formatReceipt } from '../../rpc/format-receipt.ts';
import { type JsonValue, quantity } from '../../rpc/json.ts';
import type { Answer, HeadNews, Question } from '../readers.ts';
import type { Report } from './violation.ts';

/** What the replay computed. */
export interface ReplayedView {
  viewAt(number: number): ViewBlock | undefined;
  stateAt(number: number): StateReader | undefined;
}

/** JSON-RPC's code for a fault of the node itself. */
const INTERNAL_ERROR = -32603;

/** See the file's head. */
export class ClientReads {
  readonly #report: Report;
  readonly #truth: ReplayedView;
  readonly #nameOf: (index: number) => string;
  /** Nodes whose disk may give an error. */
  readonly #mayFail: (index: number) => boolean;
  /** The highest block that each node has shown. */
  readonly #shown = new Map<number, number>();
  #checked = 0;

  constructor(options: {
    readonly report: Report;
    readonly truth: ReplayedView;
    readonly nameOf: (index: number) => string;
    readonly mayFail: (index: number) => boolean;
  }) {
    this.#report = options.report;
    this.#truth = options.truth;
    this.#nameOf = options.nameOf;
    this.#mayFail = options.mayFail;
  }

  /** Answers judged so far. */
  get checked(): number {
    return this.#checked;
  }

  /** A node was put on an old copy of its database. */
  forget(index: number): void {
    this.#shown.delete(index);
  }

  /** Judges what a client was told. */
  answered({ index, question, response, headBefore, headAfter }: Answer): void {
    this.#checked++;
    const name = this.#nameOf(index);
    if ('error' in response) {
      const { code, message } = response.error;
      if (code === INTERNAL_ERROR && !this.#mayFail(index))
        this.#report('no-fault', name, `${textOf(question)} is answered with ${message}`);
      // A state may be pruned while it is asked for; all else that is final is there.
      else if (code !== INTERNAL_ERROR && question.kind !== 'balance' && question.kind !== 'nonce')
        this.#report('durability', name, `${textOf(question)} is refused: ${message}`);
      return;
    }
    const { result } = response;
    if (question.kind === 'head') return this.#showed(index, Number(result));
    if (question.kind === 'block' && typeof question.number === 'string') this.#showed(index, numberOf(result));
    // Between question and answer the head may move: every head in between will do.
    const heads = Array.from({ length: headAfter - headBefore + 1 }, (_unused, place) => headBefore + place);
    const expected = heads.map((head) => JSON.stringify(this.#expectedOf(question, head) ?? null));
    const given = JSON.stringify(result);
    if (expected.includes(given)) return;
    const isGone = result === null || (Array.isArray(result) && result.length === 0);
    this.#report(
      isGone ? 'durability' : 'determinism',
      name,
      `${textOf(question)} with head ${headBefore} to ${headAfter} is ${given}, and was computed as ${expected.join(' or ')}`,
    );
  }

  /** Judges a new head that a subscriber was told of. */
  headSeen({ index, header, before }: HeadNews): void {
    this.#checked++;
    const name = this.#nameOf(index);
    const number = numberOf(header);
    this.#showed(index, number);
    if (before !== undefined && (number !== numberOf(before) + 1 || header['parentHash'] !== before['hash']))
      this.#report('durability', name, `a subscriber was told of block ${number} after ${numberOf(before)}`);
    const block = this.#truth.viewAt(number);
    if (block === undefined || JSON.stringify(formatHeader(block)) !== JSON.stringify(header))
      this.#report('determinism', name, `a subscriber was told of ${JSON.stringify(header)} as block ${number}`);
  }

  #showed(index: number, number: number): void {
    const before = this.#shown.get(index) ?? 0;
    if (number < before)
      this.#report('durability', this.#nameOf(index), `clients were shown block ${before}, and then ${number} as the newest`);
    this.#shown.set(index, Math.max(before, number));
  }

  /** The answer of a node with this head; undefined where there is none yet. */
  #expectedOf(question: Question, head: number): JsonValue | undefined {
    switch (question.kind) {
      case 'head':
        return quantity(head);
      case 'block': {
        const block = this.#visible(numberIn(question.number, head), head);
        return block && formatBlock(block, question.isWhole);
      }
      case 'block-by-hash': {
        const block = this.#visible(question.number, head);
        return block && formatBlock(block, false);
      }
      case 'receipts': {
        const block = this.#visible(question.number, head);
        return block?.receipts.map((_receipt, place) => formatReceipt(block, place));
      }
      case 'receipt': {
        const block = this.#visible(question.number, head);
        return block && formatReceipt(block, question.index);
      }
      case 'balance':
      case 'nonce':
        return this.#accountOf(question.kind, question.address, numberIn(question.number, head));
      case 'logs':
        return this.#logs(question.from, Math.min(question.to, head));
    }
  }

  #accountOf(kind: 'balance' | 'nonce', address: Address, number: number): JsonValue | undefined {
    const state = this.#truth.stateAt(number);
    const account = state && accountAt(state, address);
    return state && quantity(kind === 'balance' ? (account?.balanceWei ?? 0n) : (account?.nonce ?? 0n));
  }

  #logs(from: number, to: number): JsonValue {
    const blocks = Array.from({ length: Math.max(0, to - from + 1) }, (_unused, place) => this.#truth.viewAt(from + place));
    return blocks.flatMap((block) =>
      block === undefined
        ? []
        : block.receipts.flatMap(({ logs }, index) => logs.map((_log, position) => formatLog(block, index, position))),
    );
  }

  #visible(number: number, head: number): ViewBlock | undefined {
    return number > head ? undefined : this.#truth.viewAt(number);
  }
}

function numberIn(selector: number | string, head: number): number {
  return typeof selector === 'number' ? selector : head;
}

function numberOf(block: JsonValue): number {
  return Number((block as { readonly number?: string } | null)?.number);
}

function textOf(question: Question): string {
  return JSON.stringify(question, (_key, value: unknown) => (value instanceof Uint8Array ? Array.from(value) : value));
}
