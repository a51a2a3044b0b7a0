// Carries news (a new head, a pending transaction) to those who subscribed to it. The node is told of a block while it commits it, so
// nothing is done there but to note it; what thousands of subscribers get is made afterwards, in turns, one subscriber after the other.
//
// Each subscriber has every piece of news since it came, in order. If they fall behind too far, all of them are let go, and told so: news
// with a gap would be worse than none.
import type { WorkTurns } from './pacing.ts';
import type { Cancel } from './ports.ts';

/** Who wants news. */
export interface Subscriber<T> {
  /** Makes and sends what the subscriber gets. Long work rests in between. */
  readonly deliver: (news: T) => void | Promise<void>;
  /** News are lost: there will be no more. */
  readonly lose: () => void;
}

interface Entry<T> {
  readonly subscriber: Subscriber<T>;
  /** Position of the first news that it is to get. */
  readonly from: number;
}

/** See the file's head. */
export class NewsFeed<T> {
  readonly #listen: (listener: (news: T) => void) => Cancel;
  readonly #waitingMax: number;
  readonly #turns: WorkTurns;
  readonly #onFault: (fault: unknown) => void;
  readonly #entries = new Set<Entry<T>>();
  #waiting: T[] = [];
  /** Position of the first of `#waiting`. */
  #position = 0;
  #isRunning = false;
  #cancel: Cancel = () => undefined;

  /** Listens to the node only while somebody listens here; keeps at most `waitingMax` news for those who are behind. */
  constructor(listen: (listener: (news: T) => void) => Cancel, waitingMax: number, turns: WorkTurns, onFault: (fault: unknown) => void) {
    this.#listen = listen;
    this.#waitingMax = waitingMax;
    this.#turns = turns;
    this.#onFault = onFault;
  }

  /** Subscribers now. */
  get size(): number {
    return this.#entries.size;
  }

  /** News from now on go to `subscriber` too. */
  subscribe(subscriber: Subscriber<T>): Cancel {
    const entry = { subscriber, from: this.#position + this.#waiting.length };
    if (this.#entries.size === 0) this.#cancel = this.#listen((news) => this.#note(news));
    this.#entries.add(entry);
    return () => {
      if (this.#entries.delete(entry)) this.#stopIfUnheard();
    };
  }

  #note(news: T): void {
    this.#waiting.push(news);
    if (this.#waiting.length > this.#waitingMax) this.#loseAll();
    else if (!this.#isRunning) void this.#deliverAll();
  }

  async #deliverAll(): Promise<void> {
    this.#isRunning = true;
    while (this.#waiting.length > 0) {
      const news = this.#waiting[0] as T;
      const position = this.#position;
      // Whoever comes meanwhile is passed over, whoever leaves is not there any more.
      for (const entry of this.#entries) {
        if (entry.from > position) continue;
        await this.#turns.rest();
        if (this.#entries.has(entry)) await this.#deliver(entry.subscriber, news);
      }
      if (this.#position > position) continue; // All were let go meanwhile, and what waited with them.
      this.#waiting.shift();
      this.#position += 1;
    }
    this.#isRunning = false;
  }

  async #deliver(subscriber: Subscriber<T>, news: T): Promise<void> {
    try {
      await subscriber.deliver(news);
    } catch (fault) {
      this.#onFault(fault);
    }
  }

  #loseAll(): void {
    const lost = [...this.#entries];
    this.#entries.clear();
    this.#stopIfUnheard();
    for (const { subscriber } of lost) subscriber.lose();
  }

  #stopIfUnheard(): void {
    if (this.#entries.size > 0) return;
    this.#cancel();
    this.#position += this.#waiting.length;
    this.#waiting = [];
  }
}
