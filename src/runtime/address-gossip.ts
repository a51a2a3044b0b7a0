// Tells others where this validator can be reached, and takes what they tell (protocol, section 9). A record is handed on once it is verified and
// news, so each goes round the network once; of one validator not oftener than every few seconds, however many it signs.

import { invariant } from '../core/primitives/errors.ts';
import type { Bytes32, ValidatorIndex } from '../core/primitives/ids.ts';
import {
  type AddressRecord,
  addressClaim,
  addressSigningRoot,
  decodeAddressRecord,
  encodeAddressRecord,
} from '../core/protocol/address-record.ts';
import type { ValidatorIdentity } from '../core/protocol/genesis.ts';
import type { AddressBook } from '../network/address-book.ts';
import type { ForwardDecision, GossipMessage, Network, PeerName } from '../network/ports.ts';
import type { AddressStore } from '../storage/address-store.ts';
import type { KeyValueStore } from '../storage/key-value-store.ts';
import type { CancelTimer, Clock, Logger, Metrics } from './ports.ts';
import type { VerifiedClaims } from './verified-claims.ts';

/** How often a validator says where it is though nothing has changed: whoever missed it waits no longer. */
const REPUBLISH_INTERVAL_MS = 10 * 60_000;
/** After a new neighbour came, who may know nobody; all of them together at most once in so long. */
const GREETING_DELAY_MS = 1_000;
const GREETING_INTERVAL_MS = 10_000;
/** News of one validator that are taken, at most one in so long. */
const NEWS_INTERVAL_MS = 5_000;
/** Records that are verified at once; what comes on top is not looked at. */
const CHECKS_AT_ONCE_MAX = 16;
/** Weight of a record that is none: nobody hands on what he has not verified. */
const BAD_RECORD_WEIGHT = 20;

/** What this node says of itself. */
export interface OwnAddress {
  readonly validator: ValidatorIndex;
  readonly peerKey: Bytes32;
  /** As they are now: multiaddresses without the peer's id. None: nothing is said. */
  readonly addresses: () => readonly string[];
  /** Signs with the validator's consensus key. */
  readonly sign: (signingRoot: Bytes32) => Uint8Array;
}

/** What the gossip needs of its node. */
export interface AddressGossipDependencies {
  readonly genesisRoot: Bytes32;
  readonly topic: string;
  readonly network: Network;
  readonly book: AddressBook;
  /** The keys of a validator that this node knows of. */
  readonly identityOf: (validator: ValidatorIndex) => Pick<ValidatorIdentity, 'blsPublicKey' | 'peerKey'> | undefined;
  readonly claims: Pick<VerifiedClaims, 'judge'>;
  readonly store: KeyValueStore;
  readonly addressStore: AddressStore;
  /** Undefined for a node that is no validator. */
  readonly own: OwnAddress | undefined;
  /** Told of each record that is news. */
  readonly onNews: (record: AddressRecord) => void;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly onFault: (fault: unknown) => void;
}

/** See the file's head. */
export class AddressGossip {
  readonly #dependencies: AddressGossipDependencies;
  readonly #newsAtMs = new Map<ValidatorIndex, number>();
  #checks = 0;
  #saidAtMs = Number.NEGATIVE_INFINITY;
  #unheard: (() => void) | undefined;
  #next: { readonly atMs: number; readonly cancel: CancelTimer } | undefined;
  #stopped = false;

  private constructor(dependencies: AddressGossipDependencies) {
    this.#dependencies = dependencies;
  }

  /** With what the database holds already in the book. */
  static async open(dependencies: AddressGossipDependencies): Promise<AddressGossip> {
    for (const encoded of await dependencies.addressStore.readAll()) {
      const stored = decodeAddressRecord(encoded);
      invariant(stored.ok, 'a stored record was verified');
      if (dependencies.identityOf(stored.value.record.validator) !== undefined) dependencies.book.put(stored.value);
    }
    return new AddressGossip(dependencies);
  }

  /** Begins to listen, and to say where this node is. */
  start(): void {
    const { network, topic } = this.#dependencies;
    network.pubSub.subscribe(topic, (message) => this.#receive(message));
    this.#unheard = network.peers.onChange((_peer, connected) => {
      if (connected) this.#sayWithin(GREETING_DELAY_MS);
    });
    this.#sayWithin(GREETING_DELAY_MS);
  }

  stop(): void {
    this.#stopped = true;
    this.#next?.cancel();
    this.#unheard?.();
    this.#dependencies.network.pubSub.unsubscribe(this.#dependencies.topic);
  }

  /** The own addresses have changed. */
  changed(): void {
    this.#sayWithin(GREETING_DELAY_MS);
  }

  async #receive({ data, from }: GossipMessage): Promise<ForwardDecision> {
    const { book, identityOf, genesisRoot, clock } = this.#dependencies;
    const decoded = decodeAddressRecord(data);
    if (!decoded.ok) return this.#refuse(from, decoded.reason);
    const { value: signed } = decoded;
    const { validator } = signed.record;
    // Of a validator that is not known here yet, or is older than what is known: no reason to blame anybody.
    const identity = identityOf(validator);
    if (identity === undefined || book.newnessOf(signed) !== 'news' || this.#isTooSoon(validator)) return 'ignore';
    const claim = addressClaim(genesisRoot, signed, identity);
    if (!claim.ok) return this.#refuse(from, claim.reason);
    if (this.#checks >= CHECKS_AT_ONCE_MAX) return 'ignore';
    this.#checks++;
    const judgement = await this.#dependencies.claims
      .judge([{ kind: 'single', ...claim.value }], 'addresses')
      .finally(() => this.#checks--);
    if (judgement === 'invalid') return this.#refuse(from, 'wrong-signature');
    // Another of the same validator may have come meanwhile.
    if (judgement === 'not-looked-at' || this.#isTooSoon(validator) || !book.put(signed)) return 'ignore';
    this.#newsAtMs.set(validator, clock.nowMs());
    this.#store(validator, data);
    this.#dependencies.onNews(signed.record);
    return 'accept';
  }

  #isTooSoon(validator: ValidatorIndex): boolean {
    const lastMs = this.#newsAtMs.get(validator);
    return lastMs !== undefined && this.#dependencies.clock.nowMs() - lastMs < NEWS_INTERVAL_MS;
  }

  #refuse(from: PeerName, reason: string): ForwardDecision {
    this.#dependencies.metrics.count('coppice_gossip_refused_total', { kind: 'addresses', reason });
    this.#dependencies.network.peers.misbehaved(from, reason, BAD_RECORD_WEIGHT);
    return 'reject';
  }

  #store(validator: ValidatorIndex, encoded: Uint8Array): void {
    const { store, addressStore, onFault } = this.#dependencies;
    if (!this.#stopped) store.write(addressStore.put(validator, encoded), { sync: false }).catch(onFault);
  }

  // Says where this node is after the delay, unless that is due sooner anyway; never twice within the interval.
  #sayWithin(delayMs: number): void {
    const { clock, own } = this.#dependencies;
    if (this.#stopped || own === undefined) return;
    const nowMs = clock.nowMs();
    const atMs = Math.max(nowMs + delayMs, this.#saidAtMs + GREETING_INTERVAL_MS);
    if (this.#next !== undefined && this.#next.atMs <= atMs) return;
    this.#next?.cancel();
    const cancel = clock.schedule(atMs - nowMs, () => {
      this.#next = undefined;
      this.#saidAtMs = clock.nowMs();
      this.#say(own);
      this.#sayWithin(REPUBLISH_INTERVAL_MS);
    });
    this.#next = { atMs, cancel };
  }

  // With a number of its own each time, or those who know the last one would not hand it on: the time, and above the last one if the clock went back.
  #say({ validator, peerKey, addresses, sign }: OwnAddress): void {
    const { genesisRoot, book, clock, network, topic, logger } = this.#dependencies;
    const said = addresses();
    if (said.length === 0) return;
    const sequence = Math.max(clock.nowMs(), (book.get(validator)?.record.sequence ?? 0) + 1);
    const record: AddressRecord = { validator, peerKey, sequence, addresses: said };
    const signed = { record, signature: sign(addressSigningRoot(genesisRoot, record)) };
    const encoded = encodeAddressRecord(signed);
    book.put(signed);
    this.#store(validator, encoded);
    network.pubSub.publish(topic, encoded).catch((error: unknown) => logger.warn({ error: String(error) }, 'own address not published'));
  }
}
