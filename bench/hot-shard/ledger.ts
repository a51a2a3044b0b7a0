// What became of every transaction that was sent: refused with a reason, under way, final, or gone from every pool. A user has one transaction
// under way at a time, and goes on when it is final, refused or gone.
import type { HotKind } from './demand.ts';

/** A transaction under way. */
export interface UnderWay {
  readonly hash: string;
  readonly kind: HotKind;
  readonly user: number;
  readonly sentAtMs: number;
}

/** Sums of a ledger. Every transaction that was sent is in one of them. */
export interface LedgerSums {
  readonly sent: number;
  readonly sentByKind: Readonly<Partial<Record<HotKind, number>>>;
  readonly final: number;
  readonly finalByKind: Readonly<Partial<Record<HotKind, number>>>;
  readonly refused: Readonly<Record<string, number>>;
  /** Taken by a node, and later in no node's pool and in no block: others paid more. */
  readonly evicted: number;
  readonly underWay: number;
}

/** See the file's head. */
export class Ledger {
  readonly #underWay = new Map<string, UnderWay>();
  readonly #dropped = new Map<string, UnderWay>();
  readonly #final = new Map<HotKind, number>();
  readonly #refused = new Map<string, number>();
  readonly #sent = new Map<HotKind, number>();

  sent(transaction: UnderWay): void {
    this.#sent.set(transaction.kind, (this.#sent.get(transaction.kind) ?? 0) + 1);
    this.#underWay.set(transaction.hash, transaction);
  }

  /** The node did not take it. */
  refused(hash: string, reason: string): UnderWay | undefined {
    const transaction = this.#take(this.#underWay, hash);
    if (transaction !== undefined) this.#refused.set(reason, (this.#refused.get(reason) ?? 0) + 1);
    return transaction;
  }

  /** A block shows it; also one that was thought to be gone, since another node may have kept it. */
  final(hash: string): UnderWay | undefined {
    const transaction = this.#take(this.#underWay, hash) ?? this.#take(this.#dropped, hash);
    if (transaction !== undefined) this.#final.set(transaction.kind, (this.#final.get(transaction.kind) ?? 0) + 1);
    return transaction;
  }

  /** No node asked knows it. */
  gone(hash: string): UnderWay | undefined {
    const transaction = this.#take(this.#underWay, hash);
    if (transaction !== undefined) this.#dropped.set(hash, transaction);
    return transaction;
  }

  /** Sent so long ago, and neither final nor known to be gone. */
  waitingSince(sentBeforeMs: number): readonly UnderWay[] {
    return [...this.#underWay.values()].filter(({ sentAtMs }) => sentAtMs <= sentBeforeMs);
  }

  /** Hashes of what is gone: to be asked for once more at the end. */
  get goneHashes(): readonly string[] {
    return [...this.#dropped.keys()];
  }

  get sums(): LedgerSums {
    return {
      sent: sumOf(this.#sent),
      sentByKind: Object.fromEntries(this.#sent),
      final: sumOf(this.#final),
      finalByKind: Object.fromEntries(this.#final),
      refused: Object.fromEntries(this.#refused),
      evicted: this.#dropped.size,
      underWay: this.#underWay.size,
    };
  }

  #take(from: Map<string, UnderWay>, hash: string): UnderWay | undefined {
    const transaction = from.get(hash);
    from.delete(hash);
    return transaction;
  }
}

function sumOf(counts: ReadonlyMap<HotKind, number>): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}
