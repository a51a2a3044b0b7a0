// Waiting for a transaction to be final: what `eth_sendRawTransactionSync` (EIP-7966) does. One look at each new block serves all who
// wait, and at most `syncWaitsMax` may.
import type { Hex } from '../core/primitives/ids.ts';
import type { ViewBlock } from '../core/view/view-block.ts';
import type { RpcLimits } from './limits.ts';
import type { Cancel, RpcPorts } from './ports.ts';

/** A transaction that became final. */
export interface FoundTransaction {
  readonly block: ViewBlock;
  readonly index: number;
}

/** One who waits: `found` is undefined when the time is up or the wait was cancelled. */
export interface Wait {
  readonly found: Promise<FoundTransaction | undefined>;
  readonly cancel: Cancel;
}

type Waiting = (found: FoundTransaction | undefined) => void;

/** See the file's head. */
export class ReceiptWaiter {
  readonly #ports: RpcPorts;
  readonly #limits: RpcLimits;
  readonly #waiting = new Map<Hex, Set<Waiting>>();
  #cancel: Cancel | undefined;
  #count = 0;

  constructor(ports: RpcPorts, limits: RpcLimits) {
    this.#ports = ports;
    this.#limits = limits;
  }

  /** Whether another may wait. */
  get hasRoom(): boolean {
    return this.#count < this.#limits.syncWaitsMax;
  }

  /** Waits for a transaction to be final. Begin before sending it: it may be final before the mempool has answered. */
  wait(hash: Hex, timeoutMs: number): Wait {
    this.#cancel ??= this.#ports.subscriptions.onHead((block) => this.#onHead(block));
    let settle: Waiting = () => {};
    const found = new Promise<FoundTransaction | undefined>((resolve) => {
      settle = resolve;
    });
    const waiting: Waiting = (transaction) => {
      cancelTimer();
      this.#remove(hash, waiting);
      settle(transaction);
    };
    const cancelTimer = this.#ports.timing.schedule(timeoutMs, () => waiting(undefined));
    const others = this.#waiting.get(hash) ?? new Set();
    this.#waiting.set(hash, others.add(waiting));
    this.#count += 1;
    return { found, cancel: () => waiting(undefined) };
  }

  /** Lets all who wait go. */
  close(): void {
    this.#cancel?.();
    for (const waiting of [...this.#waiting.values()].flatMap((all) => [...all])) waiting(undefined);
  }

  #onHead(block: ViewBlock): void {
    if (this.#waiting.size === 0) return;
    block.transactions.forEach((view, index) => {
      for (const waiting of [...(this.#waiting.get(view.transaction.hashHex) ?? [])]) waiting({ block, index });
    });
  }

  #remove(hash: Hex, waiting: Waiting): void {
    const all = this.#waiting.get(hash);
    if (all?.delete(waiting) !== true) return;
    this.#count -= 1;
    if (all.size === 0) this.#waiting.delete(hash);
  }
}
