// Conservation and exactly once, by what a node itself has and shows: after each view block its balances and the sums that it keeps of all other money
// make up the supply at genesis and are what the replay counted, and the messages that it tells of are those that were executed.
import { decodeSupplyTotals, type SupplyTotals } from '../../core/view/supply.ts';
import type { ViewBlock } from '../../core/view/view-block.ts';
import type { Node } from '../../node/create-node.ts';
import type { KeyValueStore } from '../../storage/key-value-store.ts';
import { createViewStore } from '../../storage/view-store.ts';
import { excessWei } from './money.ts';
import type { Replay } from './replay.ts';
import { saysTheSame, textOf } from './same-value.ts';
import type { Report } from './violation.ts';

/** See the file's head. */
export class NodeResults {
  readonly #report: Report;
  readonly #truth: Replay;
  /** By node: the view block looked at last. */
  readonly #seen = new Map<string, ViewBlock>();
  #newest = 0;

  constructor(truth: Replay, report: Report) {
    this.#truth = truth;
    this.#report = report;
  }

  /** Looks at a node after an event. */
  observe(name: string, node: Node, rows: KeyValueStore): void {
    if (node.view === undefined) return;
    const { block, world } = node.view.head;
    const { number } = block.header;
    const seen = this.#seen.get(name);
    if (seen === block || number === 0) return;
    this.#seen.set(name, block);
    const store = createViewStore(rows);
    for (let each = Math.min((seen?.header.number ?? 0) + 1, number); each <= number; each++) {
      const row = store.getSupplyTotals(each);
      if (row === undefined) this.#report('durability', name, `where all money is after view block ${each} is not on disk`);
      else this.#checkTotals(name, each, decodeSupplyTotals(row));
    }
    const totals = this.#truth.view.totalsAt(number);
    if (totals === undefined) return; // The replay has reported why it did not come so far.
    const excess = excessWei(this.#truth.supplyWei, this.#truth.balancesIn(world), totals);
    if (excess !== 0n) this.#report('conservation', name, `after view block ${number} its accounts hold ${excess} more than they can`);
    if (number > this.#newest) this.#checkMessages(name, block);
  }

  #checkTotals(name: string, number: number, kept: SupplyTotals): void {
    const counted = this.#truth.view.totalsAt(number);
    if (counted === undefined) return;
    for (const term of Object.keys(counted) as (keyof SupplyTotals)[])
      if (kept[term] !== counted[term])
        this.#report('conservation', name, `after view block ${number} it keeps ${term} as ${kept[term]}, and there are ${counted[term]}`);
  }

  // The first node that comes to a number: all others must show the same block, which agreement checks. The block's hash does not cover these.
  #checkMessages(name: string, { header, messages }: ViewBlock): void {
    this.#newest = header.number;
    const computed = this.#truth.view.viewAt(header.number)?.messages;
    if (saysTheSame(messages, computed)) return;
    this.#report(
      'determinism',
      name,
      `the messages of view block ${header.number} are ${textOf(messages)}, computed were ${textOf(computed)}`,
    );
  }
}
