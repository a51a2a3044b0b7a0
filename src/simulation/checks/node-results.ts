// Conservation and exactly once, by what a node itself has and shows: its balances and the sums of fees that it keeps make up the supply at
// genesis, and no message stands twice in the blocks that it derives for clients.
import { bytesToHex } from '../../core/primitives/bytes.ts';
import type { Address, Height, Hex, Wei } from '../../core/primitives/ids.ts';
import type { Genesis } from '../../core/protocol/genesis.ts';
import { decodeSupplyTotals } from '../../core/view/supply.ts';
import type { ViewBlock } from '../../core/view/view-block.ts';
import type { Node } from '../../node/create-node.ts';
import type { KeyValueStore } from '../../storage/key-value-store.ts';
import { createViewStore } from '../../storage/view-store.ts';
import type { Report } from './violation.ts';

interface Place {
  readonly family: Address;
  readonly address: Address;
}

/** See the file's head. */
export class NodeResults {
  readonly #report: Report;
  readonly #supplyWei: Wei;
  /** Every account that anybody had or touched. */
  readonly #places = new Map<Hex, Place>();
  readonly #executedAt = new Map<string, Height>();
  /** By node: the height looked at last. */
  readonly #seen = new Map<string, Height>();
  #newest: Height = 0;

  constructor({ accounts }: Genesis, report: Report) {
    this.#report = report;
    this.#supplyWei = accounts.reduce((sum, { balanceWei }) => sum + balanceWei, 0n);
    for (const { address } of accounts) this.touched([{ family: address, address }]);
  }

  /** Accounts that a block has changed, as the replay saw it. */
  touched(places: Iterable<Place>): void {
    for (const { family, address } of places) this.#places.set(bytesToHex(family) + bytesToHex(address), { family, address });
  }

  /** Looks at a node after an event. */
  observe(name: string, node: Node, rows: KeyValueStore): void {
    const { facts, version } = node.chain.blocks.committed;
    const { height } = facts;
    if (height === 0 || this.#seen.get(name) === height) return;
    this.#seen.set(name, height);
    const { block } = node.view.newest;
    if (block.header.number === height) this.#checkOnce(name, block, height);
    const totals = createViewStore(rows).getSupplyTotals(height);
    if (totals === undefined) return this.#report('durability', name, `the sums of fees after block ${height} are not on disk`);
    const { burnedWei, accruedRewardsWei } = decodeSupplyTotals(totals);
    let balancesWei = 0n;
    for (const { family, address } of this.#places.values()) balancesWei += version.getAccount(family, address)?.balanceWei ?? 0n;
    const sumWei = balancesWei + burnedWei + accruedRewardsWei;
    if (sumWei !== this.#supplyWei)
      this.#report(
        'conservation',
        name,
        `after block ${height}: balances ${balancesWei}, burned ${burnedWei}, owed ${accruedRewardsWei}; ${sumWei - this.#supplyWei} more than at genesis`,
      );
  }

  // The first node that comes to a height: all others must show the same block, which agreement checks.
  #checkOnce(name: string, { messages }: ViewBlock, height: Height): void {
    if (height <= this.#newest) return;
    this.#newest = height;
    this.touched(messages.map(({ sender, senderFamily }) => ({ family: senderFamily, address: sender })));
    for (const { id, hop, target, targetFamily } of messages) {
      if (target !== undefined) this.touched([{ family: targetFamily, address: target }]);
      const what = `message ${bytesToHex(id)}${hop === 0 ? '' : ` on hop ${hop}`}`;
      const before = this.#executedAt.get(what);
      if (before !== undefined) this.#report('exactly-once', name, `${what} is executed in block ${before} and in block ${height}`);
      this.#executedAt.set(what, height);
    }
  }
}
