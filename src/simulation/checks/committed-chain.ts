// Agreement, and durability of what is committed: every block of the beacon and of each shard that a node has committed is the one that every other
// node has at its height of the instance, in its memory, on its disk, and after each of its restarts; and so is every block that clients see. Heights of a
// chain go on over its instances, and so does this. Only where the beacon took an instance over is there more: what nodes had committed of it above its
// last header is void, so they go back to that header, once, and no further; and those heights come again in the next instance.
import { stateRootOf } from '../../core/beacon/state-root.ts';
import { bytesEqual, bytesToHex } from '../../core/primitives/bytes.ts';
import type { Bytes32, ChainId, Height } from '../../core/primitives/ids.ts';
import type { Instance } from '../../core/protocol/committee.ts';
import type { Chain } from '../../node/create-chain.ts';
import type { Node } from '../../node/create-node.ts';
import type { ViewChain } from '../../runtime/view-chain.ts';
import { createBeaconStore } from '../../storage/beacon-store.ts';
import { type BlockPlace, type BlockStore, createBlockStore, type StoredBlock } from '../../storage/block-store.ts';
import type { KeyValueStore } from '../../storage/key-value-store.ts';
import { chainsOf } from '../chains-of.ts';
import { chainName } from '../timeline/story.ts';
import type { Takeover, Takeovers } from './takeovers.ts';
import type { Report } from './violation.ts';

/** A chain of one node, as it was last seen. */
interface SeenChain {
  height: Height;
  /** Undefined before the first look. */
  instanceId: Bytes32 | undefined;
  /** What was looked at: the same object says that nothing is new. */
  committed: unknown;
}

interface Seen {
  readonly chains: Map<ChainId, SeenChain>;
  /** Shown to clients as finalized. */
  finalized: { readonly number: number; readonly hash: string };
}

/** See the file's head. */
export class CommittedChain {
  readonly #report: Report;
  readonly #takeovers: () => Pick<Takeovers, 'of' | 'isVoid' | 'instancesOf'> | undefined;
  /** By chain, instance and height. */
  readonly #hashes = new Map<string, string>();
  readonly #stateRoots = new Map<string, string>();
  /** By chain and height, but for what is void. */
  readonly #standing = new Map<string, string>();
  readonly #viewHashes = new Map<string, string>();
  /** By chain: the instances that anybody has run, oldest first. */
  readonly #instances = new Map<ChainId, Instance[]>();
  readonly #heights = new Map<ChainId, Height>();
  readonly #seen = new Map<string, Seen>();
  #viewHeight = 0;

  /** `takeovers` are those of the replay, which follows the beacon's blocks as they are seen here. */
  constructor(report: Report, takeovers: () => Pick<Takeovers, 'of' | 'isVoid' | 'instancesOf'> | undefined) {
    this.#report = report;
    this.#takeovers = takeovers;
  }

  /** By chain, the highest block that anyone committed. */
  get heights(): ReadonlyMap<ChainId, Height> {
    return this.#heights;
  }

  /** The highest block that anyone showed to clients. */
  get viewHeight(): number {
    return this.#viewHeight;
  }

  /** Looks at a node after an event; gives the blocks that nobody had committed before, those of the beacon first. */
  observe(name: string, node: Node, rows: KeyValueStore): readonly StoredBlock[] {
    const seen = this.#seenOf(name);
    let news: readonly StoredBlock[] = [];
    for (const chain of chainsOf(node)) {
      const known = seenChainIn(seen, chain.instance.chain);
      if (known.committed === chain.blocks.committed) continue;
      known.committed = chain.blocks.committed;
      news = [...news, ...this.#observeChain(name, node, chain, known, createBlockStore(rows))];
      this.#agreeOnState(name, node, chain);
    }
    this.#observeView(name, node, seen, rows);
    return news;
  }

  /** The state root that executing a block again came to. */
  replayed(place: BlockPlace, stateRoot: Bytes32): void {
    this.#agree(this.#stateRoots, 'determinism', 'the replay', nameOf(place), bytesToHex(stateRoot), 'the state root after block');
  }

  /** The beacon took an instance over: what was committed of it above its last header does not stand, whoever committed it. */
  takenOver({ shard, instanceId, height }: Takeover): void {
    for (let above = height + 1; above <= (this.#heights.get(shard) ?? 0); above++) {
      const place = `${shard}/${above}`;
      if (this.#standing.get(place)?.endsWith(bytesToHex(instanceId)) === true) this.#standing.delete(place);
    }
    if ((this.#heights.get(shard) ?? 0) > height && !this.#standing.has(`${shard}/${height + 1}`)) this.#heights.set(shard, height);
  }

  /** The Ethereum block that the replay derived. */
  derived(number: number, hashHex: string): void {
    this.#agree(this.#viewHashes, 'determinism', 'the replay', `${number}`, hashHex, 'Ethereum block');
  }

  /** Looks at a node that has started again. */
  restarted(name: string, node: Node): void {
    const seen = this.#seenOf(name);
    if (node.view !== undefined) this.#viewRestarted(name, node.view, seen);
    for (const { instance, blocks } of chainsOf(node)) {
      const known = seenChainIn(seen, instance.chain);
      const { height } = blocks.committed.facts;
      this.#goBack(known, instance);
      if (height < known.height)
        this.#report(
          'durability',
          name,
          `had committed block ${known.height} of ${chainName(instance.chain)}, and has ${height} after its restart`,
        );
      known.height = Math.min(known.height, height);
      known.committed = undefined;
    }
  }

  #viewRestarted(name: string, view: ViewChain, { finalized: { number, hash } }: Seen): void {
    const head = view.head.block.header.number;
    const found = view.blockByNumber(number)?.hashHex;
    if (head < number) this.#report('durability', name, `showed block ${number} as finalized, and has ${head} after its restart`);
    else if (number > 0 && found !== hash)
      this.#report('durability', name, `block ${number} was ${hash} and is ${found} after its restart`);
  }

  /** A node was put on an older copy of its database: it may know less than it showed, never another thing. */
  forget(name: string): void {
    this.#seen.delete(name);
  }

  #observeChain(name: string, node: Node, { instance, blocks }: Chain, known: SeenChain, store: BlockStore): readonly StoredBlock[] {
    const { chain } = instance;
    this.#know(instance);
    this.#goBack(known, instance);
    known.instanceId = instance.instanceId;
    const { height } = blocks.committed.facts;
    const news: StoredBlock[] = [];
    for (let next = known.height + 1; next <= height; next++) {
      const stored = this.#storedAt(store, chain, next);
      // Whoever follows its own shards begins with the state that a record starts from, and need have no block before.
      if (stored === undefined && node.view === undefined && next <= instance.startRecord.height) continue;
      if (stored === undefined) this.#report('durability', name, `block ${next} of ${chainName(chain)} is committed and not on disk`);
      else if (this.#agreeOnBlock(name, stored)) news.push(stored);
    }
    if (height < known.height) this.#report('durability', name, `went back from block ${known.height} of ${chainName(chain)} to ${height}`);
    known.height = height;
    if (this.#takeovers()?.isVoid(instance.instanceId, height) !== true)
      this.#heights.set(chain, Math.max(this.#heights.get(chain) ?? 0, height));
    return news;
  }

  // From an instance that the beacon took over a node goes on at the height at which it did.
  #goBack(known: SeenChain, { chain, instanceId }: Instance): void {
    const takeovers = this.#takeovers();
    if (takeovers === undefined || known.instanceId === undefined) return;
    const instances = takeovers.instancesOf(chain);
    const placeIn = (id: Bytes32): number => instances.findIndex((each) => bytesEqual(each.instanceId, id));
    const [from, to] = [placeIn(known.instanceId), placeIn(instanceId)];
    if (from < 0) return;
    for (const { instanceId: passed } of instances.slice(from, to)) {
      const takeover = takeovers.of(passed);
      if (takeover !== undefined) known.height = Math.min(known.height, takeover.height);
    }
  }

  // True when it is the first word on this block.
  #agreeOnBlock(name: string, stored: StoredBlock): boolean {
    const { place, hash } = stored;
    const isNews = this.#agree(this.#hashes, 'agreement', name, nameOf(place), bytesToHex(hash), 'block');
    if (this.#takeovers()?.isVoid(place.instanceId, place.height) !== true)
      this.#agree(this.#standing, 'agreement', name, `${place.chain}/${place.height}`, identityOf(stored), 'block');
    return isNews;
  }

  #agreeOnState(name: string, { beacon, shards }: Node, { instance: { chain, instanceId }, blocks }: Chain): void {
    const isBeacon = chain === beacon.chain.instance.chain;
    const root = isBeacon ? stateRootOf(beacon.state) : shards.chains.get(chain)?.blocks.committed.version.root;
    const place = { chain, instanceId, height: blocks.committed.facts.height };
    if (root !== undefined)
      this.#agree(this.#stateRoots, 'determinism', name, nameOf(place), bytesToHex(root), 'the state root after block');
  }

  // Newest instance first: what is asked for is nearly always of that.
  #storedAt(store: BlockStore, chain: ChainId, height: Height): StoredBlock | undefined {
    for (const { instanceId, startRecord } of (this.#instances.get(chain) ?? []).toReversed()) {
      const stored = startRecord.height < height ? store.getByHeight({ chain, instanceId, height }) : undefined;
      if (stored !== undefined) return stored;
    }
    return undefined;
  }

  #know(instance: Instance): void {
    const known = this.#instances.get(instance.chain) ?? [];
    this.#instances.set(instance.chain, known);
    if (known.some(({ instanceId }) => bytesEqual(instanceId, instance.instanceId))) return;
    known.push(instance);
    known.sort((a, b) => a.epoch - b.epoch);
  }

  #observeView(name: string, node: Node, seen: Seen, rows: KeyValueStore): void {
    if (node.view === undefined) return;
    const { header, hashHex } = node.view.head.block;
    const { number } = header;
    if (number === seen.finalized.number) return;
    if (number < seen.finalized.number)
      this.#report('durability', name, `clients saw block ${seen.finalized.number} and now see ${number}`);
    // What clients see follows from the beacon's block, which is synced.
    if (createBeaconStore(rows).getPoint(number) === undefined)
      this.#report('durability', name, `clients see block ${number}, and the beacon's is not on disk`);
    seen.finalized = { number, hash: hashHex };
    this.#viewHeight = Math.max(this.#viewHeight, number);
    this.#agree(this.#viewHashes, 'agreement', name, `${number}`, hashHex, 'Ethereum block');
  }

  // True when it is the first word on this place.
  #agree(
    known: Map<string, string>,
    property: 'agreement' | 'determinism',
    name: string,
    place: string,
    value: string,
    what: string,
  ): boolean {
    const before = known.get(place);
    if (before === undefined) known.set(place, value);
    else if (before !== value) this.#report(property, name, `${what} ${place} is ${value} here and ${before} elsewhere`);
    return before === undefined;
  }

  #seenOf(name: string): Seen {
    const seen = this.#seen.get(name) ?? { chains: new Map<ChainId, SeenChain>(), finalized: { number: 0, hash: '' } };
    this.#seen.set(name, seen);
    return seen;
  }
}

function seenChainIn({ chains }: Seen, chain: ChainId): SeenChain {
  const known = chains.get(chain) ?? { height: 0, instanceId: undefined, committed: undefined };
  chains.set(chain, known);
  return known;
}

function nameOf({ chain, instanceId, height }: BlockPlace): string {
  return `${chain}/${height} of instance ${bytesToHex(instanceId)}`;
}

// At one height of a chain there is one block of one instance that stands.
function identityOf({ place, hash }: StoredBlock): string {
  return `${bytesToHex(hash)} of instance ${bytesToHex(place.instanceId)}`;
}
