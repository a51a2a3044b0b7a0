// The users who want more of the hot shard than it has. They come at a fixed rate, whatever comes back, each with one transaction at a time: who
// is refused, or finds the transaction gone from every pool, comes again later with another wish.
import { setTimeout as sleep } from 'node:timers/promises';
import type { RpcClient } from '../devnet/json-rpc-client.ts';
import type { Sender, SignedTransaction } from '../devnet/transactions.ts';
import type { HotKind } from './demand.ts';
import type { Ledger, UnderWay } from './ledger.ts';

/** What the users need. */
export interface HotUsersOptions {
  readonly entry: RpcClient;
  /** All nodes: what none of them knows is gone. */
  readonly nodes: readonly RpcClient[];
  readonly users: readonly Sender[];
  readonly ledger: Ledger;
  /** Signs the user's next wish. */
  readonly signWish: (user: Sender) => SignedTransaction & { readonly kind: HotKind };
}

const TICK_MS = 50;
/** A transaction that waits longer is asked for. */
const SUSPECT_MS = 5_000;
/** So many of those in one look, in turn: more than the pool of a shard evicts between two. */
const SUSPECTS_MAX = 1_000;
/** Questions of one HTTP request: a node answers them in a few milliseconds. */
const QUESTIONS_AT_ONCE = 100;

/** See the file's head. */
export class HotUsers {
  readonly #options: HotUsersOptions;
  readonly #idle: number[];
  readonly #nonceOf = new Map<string, number>();
  #looks = 0;
  /** Moments at which nobody was free to send: the offer was less than was asked for by so many. */
  unsent = 0;

  constructor(options: HotUsersOptions) {
    this.#options = options;
    this.#idle = options.users.map((_user, place) => place);
  }

  /** Offers `perSecond` transactions for so long. */
  async offer(perSecond: number, seconds: number): Promise<void> {
    const startMs = performance.now();
    const total = Math.floor(perSecond * seconds);
    const sending = new Set<Promise<void>>();
    for (let offered = 0; offered < total; ) {
      const due = Math.min(total, Math.floor(((performance.now() - startMs) / 1_000) * perSecond));
      const batch = this.#sign(due - offered);
      offered = due;
      if (batch.length > 0) {
        const one = this.#send(batch).finally(() => sending.delete(one));
        sending.add(one);
      }
      await sleep(TICK_MS);
    }
    await Promise.all(sending);
  }

  /** A block shows these. */
  onFinal(hashes: readonly string[]): void {
    for (const hash of hashes) this.#free(this.#options.ledger.final(hash));
  }

  /** Looks for some of those that have waited for long. */
  async lookForGone(): Promise<void> {
    const { ledger, nodes } = this.#options;
    const suspects = ledger.waitingSince(performance.now() - SUSPECT_MS);
    const from = suspects.length <= SUSPECTS_MAX ? 0 : (this.#looks * SUSPECTS_MAX) % suspects.length;
    let unknown = suspects.slice(from, from + SUSPECTS_MAX).map(({ hash }) => hash);
    // Another node is the first each time: most are known to whoever is asked.
    for (let turn = 0; turn < nodes.length; turn++)
      unknown = await unknownTo(nodes[(this.#looks + turn) % nodes.length] as RpcClient, unknown);
    this.#looks++;
    for (const hash of unknown) {
      const transaction = ledger.gone(hash);
      if (transaction !== undefined) this.#again(transaction);
    }
  }

  #sign(count: number): SignedTransaction[] {
    const { users, ledger, signWish } = this.#options;
    const batch: SignedTransaction[] = [];
    for (let wanted = 0; wanted < count; wanted++) {
      const place = this.#idle.shift();
      if (place === undefined) {
        this.unsent += count - wanted;
        break;
      }
      const user = users[place] as Sender;
      const nonce = user.nonce;
      const { raw, hash, kind } = signWish(user);
      this.#nonceOf.set(hash, nonce);
      ledger.sent({ hash, kind, user: place, sentAtMs: performance.now() });
      batch.push({ raw, hash });
    }
    return batch;
  }

  async #send(batch: readonly SignedTransaction[]): Promise<void> {
    const { entry, ledger, users } = this.#options;
    // Where a busy node does not answer, nobody knows whether it took them: they are looked for as all others.
    const errors = await entry.sendRaw(batch.map(({ raw }) => raw)).catch((): (string | undefined)[] => []);
    for (const [i, error] of errors.entries()) {
      if (error === undefined) continue;
      const reason = error.split(':', 1)[0] ?? error;
      const transaction = ledger.refused(batch[i]?.hash ?? '', reason);
      if (transaction === undefined) continue;
      this.#again(transaction);
      // One that was thought to be gone was in a block after all.
      if (reason === 'nonce too low') (users[transaction.user] as Sender).nonce++;
    }
  }

  #again(transaction: UnderWay): void {
    (this.#options.users[transaction.user] as Sender).nonce = this.#nonceOf.get(transaction.hash) ?? 0;
    this.#free(transaction);
  }

  #free(transaction: UnderWay | undefined): void {
    if (transaction === undefined) return;
    this.#nonceOf.delete(transaction.hash);
    this.#idle.push(transaction.user);
  }
}

// Of these, what the node has in no pool and in no block.
async function unknownTo(node: RpcClient, hashes: readonly string[]): Promise<string[]> {
  const batches: (readonly string[])[] = [];
  for (let start = 0; start < hashes.length; start += QUESTIONS_AT_ONCE) batches.push(hashes.slice(start, start + QUESTIONS_AT_ONCE));
  const found = await Promise.all(
    batches.map((batch) =>
      node.callMany(
        'eth_getTransactionByHash',
        batch.map((hash) => [hash]),
      ),
    ),
  );
  return batches.flatMap((batch, number) => batch.filter((_hash, place) => found[number]?.[place] === null));
}
