// Agreement, and durability of what is committed: every block that a node has committed is the one that every other node has at its
// height, in its memory, on its disk, and after each of its restarts.
import { bytesToHex } from '../../core/primitives/bytes.ts';
import type { Height } from '../../core/primitives/ids.ts';
import type { Node } from '../../node/create-node.ts';
import { createBlockStore, type StoredBlock } from '../../storage/block-store.ts';
import type { KeyValueStore } from '../../storage/key-value-store.ts';
import { createViewStore } from '../../storage/view-store.ts';
import type { Report } from './violation.ts';

interface Seen {
  committed: Height;
  /** Shown to clients as finalized. */
  finalized: { readonly number: number; readonly hash: string };
}

/** See the file's head. */
export class CommittedChain {
  readonly #report: Report;
  readonly #hashes = new Map<Height, string>();
  readonly #stateRoots = new Map<Height, string>();
  readonly #viewHashes = new Map<number, string>();
  readonly #seen = new Map<string, Seen>();
  #height: Height = 0;

  constructor(report: Report) {
    this.#report = report;
  }

  /** The highest block that anyone committed. */
  get height(): Height {
    return this.#height;
  }

  /** Looks at a node after an event; gives the blocks that nobody had committed before. */
  observe(name: string, node: Node, rows: KeyValueStore): readonly StoredBlock[] {
    const { committed } = node.chain.blocks;
    const seen = this.#seenOf(name);
    const height = committed.facts.height;
    this.#observeView(name, node, seen, rows);
    if (height === seen.committed) return [];
    const news: StoredBlock[] = [];
    const store = createBlockStore(rows);
    const { chain, instanceId } = node.chain.instance;
    for (let next = seen.committed + 1; next <= height; next++) {
      const stored = store.getByHeight({ chain, instanceId, height: next });
      if (stored === undefined) this.#report('durability', name, `block ${next} is committed and not on disk`);
      else if (this.#agree(this.#hashes, 'agreement', name, next, bytesToHex(stored.hash), 'block')) news.push(stored);
    }
    if (height < seen.committed) this.#report('durability', name, `went back from block ${seen.committed} to ${height}`);
    seen.committed = height;
    this.#height = Math.max(this.#height, height);
    this.#agree(this.#stateRoots, 'determinism', name, height, bytesToHex(committed.version.root), 'state root after block');
    return news;
  }

  /** The state root that executing block `height` again came to. */
  replayed(height: Height, stateRoot: string): void {
    this.#agree(this.#stateRoots, 'determinism', 'the replay', height, stateRoot, 'state root after block');
  }

  /** Looks at a node that has started again. */
  restarted(name: string, node: Node): void {
    const seen = this.#seenOf(name);
    const head = node.view.head.block.header.number;
    const { number, hash } = seen.finalized;
    const found = node.view.blockByNumber(number)?.hashHex;
    if (head < number) this.#report('durability', name, `showed block ${number} as finalized, and has ${head} after its restart`);
    else if (number > 0 && found !== hash)
      this.#report('durability', name, `block ${number} was ${hash} and is ${found} after its restart`);
    const height = node.chain.blocks.committed.facts.height;
    if (height < seen.committed)
      this.#report('durability', name, `had committed block ${seen.committed}, and has ${height} after its restart`);
    seen.committed = Math.min(seen.committed, height);
  }

  /** A node was put on an old copy of its database: it may know less than it showed, never another thing. */
  forget(name: string): void {
    this.#seen.delete(name);
  }

  #observeView(name: string, node: Node, seen: Seen, rows: KeyValueStore): void {
    const { header, hashHex } = node.view.head.block;
    if (header.number === seen.finalized.number) return;
    if (header.number < seen.finalized.number)
      this.#report('durability', name, `clients saw block ${seen.finalized.number} and now see ${header.number}`);
    // A restart begins one block below the newest on disk: only so much may be shown.
    const newest = createViewStore(rows).getHead() ?? 0;
    if (header.number > Math.max(0, newest - 1))
      this.#report('durability', name, `clients see block ${header.number}, and the newest on disk is ${newest}`);
    seen.finalized = { number: header.number, hash: hashHex };
    this.#agree(this.#viewHashes, 'agreement', name, header.number, hashHex, 'Ethereum block');
  }

  // True when it is the first word on this height.
  #agree(
    known: Map<number, string>,
    property: 'agreement' | 'determinism',
    name: string,
    height: number,
    value: string,
    what: string,
  ): boolean {
    const before = known.get(height);
    if (before === undefined) known.set(height, value);
    else if (before !== value) this.#report(property, name, `${what} ${height} is ${value} here and ${before} elsewhere`);
    return before === undefined;
  }

  #seenOf(name: string): Seen {
    const seen = this.#seen.get(name) ?? { committed: 0, finalized: { number: 0, hash: '' } };
    this.#seen.set(name, seen);
    return seen;
  }
}
