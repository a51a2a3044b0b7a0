// Filters that clients poll (`eth_newFilter` and its kin). The node remembers of each only where its reader stands, so a filter costs
// next to nothing until it is asked; those that nobody asks for `filterLifetimeMs` are forgotten, and there are at most `filtersMax`.
import type { Bytes32 } from '../core/primitives/ids.ts';
import type { Budget } from './budget.ts';
import { filterNotFound, limitExceeded, RpcError, tooManyCriteria } from './errors.ts';
import { data, type JsonValue } from './json.ts';
import type { RpcLimits } from './limits.ts';
import { findLogs, findLogsBetween, heightOf, type LogFilter, sizeOfCriteria } from './log-filter.ts';
import type { RpcContext } from './method.ts';
import type { Cancel, RpcPorts } from './ports.ts';

/** Hashes of pending transactions that are kept between two polls, for all filters together: the newest. */
const PENDING_HASHES_MAX = 8192;
/** Hashes of blocks that one poll gives. */
const BLOCK_HASHES_MAX = 4096;

interface LogsFilter {
  readonly kind: 'logs';
  readonly filter: LogFilter;
  nextNumber: number;
  lastUsedMs: number;
}

interface BlocksFilter {
  readonly kind: 'blocks';
  nextNumber: number;
  lastUsedMs: number;
}

interface PendingTransactionFilter {
  readonly kind: 'pending-transactions';
  /** Position in the sequence of all pending hashes that this node saw. */
  nextPosition: number;
  lastUsedMs: number;
}

type Filter = LogsFilter | BlocksFilter | PendingTransactionFilter;

/** See the file's head. */
export class FilterRegistry {
  readonly #ports: RpcPorts;
  readonly #limits: RpcLimits;
  readonly #newId: () => string;
  readonly #criteria: Budget;
  readonly #filters = new Map<string, Filter>();
  #pendingFilters = 0;
  #pendingHashes: Bytes32[] = [];
  /** Position of the first of `#pendingHashes`. */
  #pendingStart = 0;
  #cancelPending: Cancel | undefined;

  /** `newId` gives ids that nobody can guess: with one, filters could be read and removed by others. */
  constructor(ports: RpcPorts, limits: RpcLimits, newId: () => string, criteria: Budget) {
    this.#ports = ports;
    this.#limits = limits;
    this.#newId = newId;
    this.#criteria = criteria;
  }

  /** Filters alive now. */
  get size(): number {
    return this.#filters.size;
  }

  /** Logs of blocks to come, within the filter's range; `read` gives the whole range. */
  addLogFilter(filter: LogFilter): string | RpcError {
    return this.#add({ kind: 'logs', filter, nextNumber: this.#head() + 1, lastUsedMs: this.#ports.timing.nowMs() });
  }

  /** Hashes of blocks to come. */
  addBlockFilter(): string | RpcError {
    return this.#add({ kind: 'blocks', nextNumber: this.#head() + 1, lastUsedMs: this.#ports.timing.nowMs() });
  }

  /** Hashes of transactions that become pending. */
  addPendingTransactionFilter(): string | RpcError {
    const nextPosition = this.#pendingStart + this.#pendingHashes.length;
    const id = this.#add({ kind: 'pending-transactions', nextPosition, lastUsedMs: this.#ports.timing.nowMs() });
    if (!(id instanceof RpcError)) this.#pendingFilters += 1;
    this.#cancelPending ??= this.#pendingFilters > 0 ? this.#listen() : undefined;
    return id;
  }

  /** True if there was such a filter. */
  remove(id: string): boolean {
    const filter = this.#find(id);
    if (filter === undefined) return false;
    this.#drop(id, filter);
    return true;
  }

  /** What is new since the last poll. */
  async poll(context: RpcContext, id: string): Promise<JsonValue | RpcError> {
    const filter = this.#find(id);
    if (filter === undefined) return filterNotFound();
    if (filter.kind === 'pending-transactions') {
      const hashes = this.#pendingHashes.slice(Math.max(0, filter.nextPosition - this.#pendingStart));
      filter.nextPosition = this.#pendingStart + this.#pendingHashes.length;
      return hashes.slice(-PENDING_HASHES_MAX).map(data);
    }
    return filter.kind === 'blocks' ? this.#pollBlocks(context, filter) : this.#pollLogs(context, filter);
  }

  /** All logs of a log filter's range. */
  async read(context: RpcContext, id: string): Promise<JsonValue | RpcError> {
    const filter = this.#find(id);
    return filter?.kind === 'logs' ? findLogs(context, filter.filter) : filterNotFound();
  }

  /** Forgets all filters. */
  close(): void {
    for (const [id, filter] of [...this.#filters]) this.#drop(id, filter);
  }

  async #pollBlocks({ turns }: RpcContext, filter: BlocksFilter): Promise<JsonValue> {
    const from = filter.nextNumber;
    const to = Math.min(this.#head(), from + BLOCK_HASHES_MAX - 1);
    filter.nextNumber = to + 1;
    const hashes: string[] = [];
    for (let number = from; number <= to; number++) {
      await turns.rest();
      const header = await this.#ports.view.headerByNumber(number);
      if (header !== undefined) hashes.push(data(header.hash));
    }
    return hashes;
  }

  async #pollLogs(context: RpcContext, filter: LogsFilter): Promise<JsonValue | RpcError> {
    const { range } = filter.filter;
    if ('blockHash' in range) return [];
    const from = Math.max(filter.nextNumber, range.from.kind === 'number' ? range.from.number : 0);
    const rangeEnd = range.to.kind === 'number' ? heightOf(range.to, this.#ports) : Number.MAX_SAFE_INTEGER;
    const to = Math.min(this.#head(), rangeEnd, from + this.#limits.logBlocksMax - 1);
    if (from > to) return [];
    const logs = await findLogsBetween(context, filter.filter, from, to);
    if (!(logs instanceof RpcError)) filter.nextNumber = to + 1;
    return logs;
  }

  #add(filter: Filter): string | RpcError {
    if (this.#filters.size >= this.#limits.filtersMax) this.#dropExpired();
    if (this.#filters.size >= this.#limits.filtersMax) return limitExceeded(`too many filters: at most ${this.#limits.filtersMax}`);
    if (!this.#takeCriteria(filter)) return tooManyCriteria();
    const id = this.#newId();
    this.#filters.set(id, filter);
    return id;
  }

  #takeCriteria(filter: Filter): boolean {
    if (filter.kind !== 'logs') return true;
    const size = sizeOfCriteria(filter.filter);
    if (this.#criteria.take(size)) return true;
    this.#dropExpired();
    return this.#criteria.take(size);
  }

  #find(id: string): Filter | undefined {
    const filter = this.#filters.get(id);
    if (filter === undefined) return undefined;
    if (this.#isExpired(filter)) {
      this.#drop(id, filter);
      return undefined;
    }
    filter.lastUsedMs = this.#ports.timing.nowMs();
    return filter;
  }

  #dropExpired(): void {
    for (const [id, filter] of [...this.#filters]) if (this.#isExpired(filter)) this.#drop(id, filter);
  }

  #isExpired(filter: Filter): boolean {
    return this.#ports.timing.nowMs() - filter.lastUsedMs > this.#limits.filterLifetimeMs;
  }

  #drop(id: string, filter: Filter): void {
    this.#filters.delete(id);
    if (filter.kind === 'logs') this.#criteria.give(sizeOfCriteria(filter.filter));
    if (filter.kind !== 'pending-transactions') return;
    this.#pendingFilters -= 1;
    if (this.#pendingFilters > 0) return;
    this.#cancelPending?.();
    this.#cancelPending = undefined;
    this.#pendingStart += this.#pendingHashes.length;
    this.#pendingHashes = [];
  }

  // One list serves all filters, so that their number does not multiply what is kept.
  #listen(): Cancel {
    return this.#ports.subscriptions.onPendingTransaction(({ hash }) => {
      this.#pendingHashes.push(hash);
      if (this.#pendingHashes.length <= 2 * PENDING_HASHES_MAX) return;
      this.#pendingHashes = this.#pendingHashes.slice(PENDING_HASHES_MAX);
      this.#pendingStart += PENDING_HASHES_MAX;
    });
  }

  #head(): number {
    return this.#ports.view.head().header.number;
  }
}
