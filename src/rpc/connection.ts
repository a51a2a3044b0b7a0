// One WebSocket connection: its subscriptions, and the news that go out on it.
//
// News of a subscription never overtake the answer that names it: they wait until the server has sent that answer. Subscriptions are
// counted, and what the client has not taken is bounded by the server, which closes the connection above the bound.
import type { JsonValue } from './json.ts';
import type { Cancel } from './ports.ts';

/** News held back between a subscription's start and the answer that names it, at most. */
const HELD_BACK_MAX = 256;

interface Subscription {
  readonly cancel: Cancel;
  /** Undefined once the client knows of the subscription. */
  heldBack: JsonValue[] | undefined;
}

/** See the file's head. */
export class Connection {
  readonly #send: (text: string) => void;
  readonly #newId: () => string;
  readonly #subscriptionsMax: number;
  readonly #abandon: () => void;
  readonly #subscriptions = new Map<string, Subscription>();

  /** `abandon` ends the connection because it cannot be served any more. */
  constructor(send: (text: string) => void, newId: () => string, subscriptionsMax: number, abandon: () => void) {
    this.#send = send;
    this.#newId = newId;
    this.#subscriptionsMax = subscriptionsMax;
    this.#abandon = abandon;
  }

  /** Whether one more subscription fits. */
  get hasRoom(): boolean {
    return this.#subscriptions.size < this.#subscriptionsMax;
  }

  /** Starts a subscription: `start` gets the function that sends news. */
  subscribe(start: (notify: (news: JsonValue) => void) => Cancel): string {
    const id = this.#newId();
    const subscription: Subscription = { cancel: start((news) => this.#notify(id, news)), heldBack: [] };
    this.#subscriptions.set(id, subscription);
    return id;
  }

  /** True if there was such a subscription. */
  unsubscribe(id: string): boolean {
    this.#subscriptions.get(id)?.cancel();
    return this.#subscriptions.delete(id);
  }

  /** To be called when an answer has been sent: if it names a subscription, the client knows it from now on. */
  release(answer: string): void {
    const subscription = this.#subscriptions.get(answer);
    if (subscription?.heldBack === undefined) return;
    const { heldBack } = subscription;
    subscription.heldBack = undefined;
    for (const news of heldBack) this.#notify(answer, news);
  }

  /** News are lost: the client is told by the end of its connection. */
  readonly lose = (): void => this.#abandon();

  /** Ends all subscriptions. */
  close(): void {
    for (const subscription of this.#subscriptions.values()) subscription.cancel();
    this.#subscriptions.clear();
  }

  #notify(id: string, result: JsonValue): void {
    const subscription = this.#subscriptions.get(id);
    if (subscription === undefined) return;
    if (subscription.heldBack === undefined) {
      this.#send(JSON.stringify({ jsonrpc: '2.0', method: 'eth_subscription', params: { subscription: id, result } }));
    } else if (subscription.heldBack.length < HELD_BACK_MAX) {
      subscription.heldBack.push(result);
    }
  }
}
