// Durability as clients see it: nothing that JSON-RPC has shown as final ever changes, goes back or vanishes, on any node, whatever happens to it;
// and what is read is what the replay computed. A node on an old copy of its database may know less than it showed, never another thing.
import { ZERO_32 } from '../../core/primitives/bytes.ts';
import type { Address } from '../../core/primitives/ids.ts';
import { supplyOf } from '../../core/view/supply.ts';
import type { ViewBlock } from '../../core/view/view-block.ts';
import { accountAt, familyOf } from '../../rpc/account-lookup.ts';
import { formatBlock, formatHeader } from '../../rpc/format-block.ts';
import { formatLog, formatReceipt } from '../../rpc/format-receipt.ts';
import { formatViewTransaction } from '../../rpc/format-transaction.ts';
import { data, type JsonObject, type JsonValue, quantity } from '../../rpc/json.ts';
import type { Simulator } from '../../rpc/ports.ts';
import type { Answer, HeadNews, Question } from '../readers.ts';
import { wordOf } from '../workload.ts';
import type { Replay } from './replay.ts';
import type { ViewTruth } from './replayed-view.ts';
import type { Report } from './violation.ts';

/** JSON-RPC's code for a fault of the node itself. */
const INTERNAL_ERROR = -32603;
/** geth's code for a call that reverted. */
const EXECUTION_REVERTED = 3;
/** Questions about a state, which may be pruned. */
const STATE_KINDS: readonly Question['kind'][] = ['balance', 'nonce', 'code', 'storage', 'call'];
const NO_OVERRIDES = {
  number: undefined,
  timeSeconds: undefined,
  gasLimit: undefined,
  feeRecipient: undefined,
  prevRandao: undefined,
  baseFeePerGasWei: undefined,
  blobBaseFeeWei: undefined,
};

/** See the file's head. */
export class ClientReads {
  readonly #report: Report;
  readonly #truth: ViewTruth;
  readonly #supplyWei: Replay['supplyWei'];
  readonly #simulator: Simulator;
  readonly #nameOf: (index: number) => string;
  /** Nodes whose disk may give an error. */
  readonly #mayFail: (index: number) => boolean;
  /** The highest block that each node has shown. */
  readonly #shown = new Map<number, number>();
  #checked = 0;

  constructor(options: {
    readonly report: Report;
    readonly truth: Pick<Replay, 'view' | 'supplyWei' | 'simulator'>;
    readonly nameOf: (index: number) => string;
    readonly mayFail: (index: number) => boolean;
  }) {
    this.#report = options.report;
    this.#truth = options.truth.view;
    this.#supplyWei = options.truth.supplyWei;
    this.#simulator = options.truth.simulator;
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
  async answered(answer: Answer): Promise<void> {
    this.#checked++;
    const { index, question, response } = answer;
    if (question.kind === 'call') return this.#callAnswered(answer, question);
    if ('error' in response) return this.#refused(answer, response.error);
    const { result } = response;
    if (question.kind === 'head') return this.#showed(index, Number(result));
    if (question.kind === 'block' && typeof question.number === 'string') this.#showed(index, numberOf(result));
    const expected = headsOf(answer).map((head) => this.#expectedOf(question, head) ?? null);
    if (expected.some((each) => isAsExpected(question, result, each))) return;
    const isGone = result === null || (Array.isArray(result) && result.length === 0);
    this.#differs(answer, isGone ? 'durability' : 'determinism', result, expected);
  }

  #refused(answer: Answer, { code, message }: { readonly code: number; readonly message: string }): void {
    const { index, question } = answer;
    const name = this.#nameOf(index);
    if (code === INTERNAL_ERROR) {
      if (!this.#mayFail(index)) this.#report('no-fault', name, `${textOf(question)} is answered with ${message}`);
    } else if (!this.#mayBePruned(answer)) this.#report('durability', name, `${textOf(question)} is refused: ${message}`);
  }

  // The state of a block that is not there yet, or of one below the window of a shard. The newest is never pruned, and all else that is final is kept.
  #mayBePruned({ question, headBefore, headAfter, servedFrom }: Answer): boolean {
    if (question.kind === 'supply') return typeof question.number === 'number' && question.number > headBefore;
    if (!STATE_KINDS.includes(question.kind) || !('number' in question) || typeof question.number !== 'number') return false;
    if (question.number > headBefore) return true;
    const versions = [...(this.#truth.stateAt(question.number)?.versions ?? [])];
    return question.number < headAfter && versions.some(([shard, { height }]) => height < (servedFrom.get(shard) ?? 0));
  }

  async #callAnswered(answer: Answer, question: Extract<Question, { readonly kind: 'call' }>): Promise<void> {
    const { response } = answer;
    if ('error' in response && response.error.code === INTERNAL_ERROR) return this.#refused(answer, response.error);
    if ('error' in response && this.#mayBePruned(answer)) return;
    const given = 'error' in response ? (response.error.code === EXECUTION_REVERTED ? 'revert' : 'failure') : response.result;
    const expected: (string | undefined)[] = [];
    for (const head of headsOf(answer)) expected.push(await this.#outcomeOf(question, numberIn(question.number, head)));
    if (!expected.includes(given as string)) this.#differs(answer, 'determinism', given, expected);
  }

  async #outcomeOf({ from, to, about }: Extract<Question, { readonly kind: 'call' }>, number: number): Promise<string | undefined> {
    const state = this.#truth.stateAt(number);
    if (state === undefined) return undefined;
    const request = {
      from,
      to,
      gasLimit: undefined,
      gasPriceWei: undefined,
      valueWei: 0n,
      data: wordOf(about),
      nonce: undefined,
      accessList: [],
    };
    const outcome = await this.#simulator.call(request, { state, block: number, overrides: NO_OVERRIDES });
    if (outcome.kind === 'success') return data(outcome.returnData);
    return outcome.kind === 'revert' ? 'revert' : 'failure';
  }

  #differs(
    { index, question, headBefore, headAfter }: Answer,
    property: 'durability' | 'determinism',
    given: unknown,
    expected: readonly unknown[],
  ): void {
    const computed = expected.map((each) => JSON.stringify(each)).join(' or ');
    const about = `${textOf(question)} with head ${headBefore} to ${headAfter}`;
    this.#report(property, this.#nameOf(index), `${about} is ${JSON.stringify(given)}, and was computed as ${computed}`);
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
      case 'transaction': {
        const block = this.#visible(question.number, head);
        return block && formatViewTransaction(block, question.index);
      }
      case 'balance': {
        const state = this.#stateIn(question.number, head);
        return state && quantity(accountAt(state, question.address)?.balanceWei ?? 0n);
      }
      case 'nonce':
        return this.#nonceOf(question.address, question.number, head);
      case 'code': {
        const state = this.#stateIn(question.number, head);
        const account = state && accountAt(state, question.address);
        return state && data((account && state.getCode(account.codeHash)) ?? new Uint8Array(0));
      }
      case 'storage': {
        const { address, slot, number } = question;
        const state = this.#stateIn(number, head);
        const key = ZERO_32.with(ZERO_32.length - 1, slot);
        return state && data(state.getStorage(familyOf(state, address), address, key) ?? ZERO_32);
      }
      case 'supply':
        return this.#supplyAt(numberIn(question.number, head));
      case 'logs':
        return this.#logs(question.from, Math.min(question.to, head));
      case 'call':
        return undefined; // Takes its time: see above.
    }
  }

  // The lowest nonce whose transaction was not mined then: one that is charged may wait for the block that shows it.
  #nonceOf(address: Address, number: number | 'latest', head: number): JsonValue | undefined {
    const state = this.#stateIn(number, head);
    if (state === undefined) return undefined;
    const executed = accountAt(state, address)?.nonce ?? 0n;
    const unmined = this.#truth.lowestUnminedNonce(address, numberIn(number, head));
    return quantity(unmined !== undefined && unmined < executed ? unmined : executed);
  }

  #supplyAt(number: number): JsonObject | undefined {
    const [block, totals] = [this.#truth.viewAt(number), this.#truth.totalsAt(number)];
    if (block === undefined || totals === undefined) return undefined;
    const supply = supplyOf(this.#supplyWei, totals);
    return {
      blockNumber: quantity(number),
      blockHash: data(block.hash),
      genesisSupply: quantity(this.#supplyWei),
      issuedRewards: quantity(0n),
      balances: quantity(supply.balancesWei),
      stake: quantity(totals.stakeWei),
      accruedRewards: quantity(totals.accruedRewardsWei),
      undeliveredValue: quantity(totals.undeliveredValueWei),
      undeliveredPriorityFees: quantity(totals.undeliveredPriorityFeesWei),
      burned: quantity(totals.burnedWei),
    };
  }

  #stateIn(selector: number | string, head: number): ReturnType<ViewTruth['stateAt']> {
    return this.#truth.stateAt(numberIn(selector, head));
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

// Between question and answer the head may move: every head in between will do.
function headsOf({ headBefore, headAfter }: Answer): readonly number[] {
  return Array.from({ length: headAfter - headBefore + 1 }, (_unused, place) => headBefore + place);
}

// A transaction that is not shown yet may be known as one that waits, or not be known here.
function isAsExpected({ kind }: Question, given: JsonValue, expected: JsonValue): boolean {
  if (kind === 'transaction' && expected === null && given !== null) return (given as JsonObject)['blockNumber'] === null;
  return JSON.stringify(given) === JSON.stringify(expected);
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
