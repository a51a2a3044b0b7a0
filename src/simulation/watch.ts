// All checks of one schedule: what they are told, when they look, and the first thing that one of them finds. What they check is in the
// folder of that name, a property or two a file.
import { bytesToHex } from '../core/primitives/bytes.ts';
import { isError } from '../core/primitives/errors.ts';
import type { Hex } from '../core/primitives/ids.ts';
import type { Network } from '../network/ports.ts';
import type { Node } from '../node/create-node.ts';
import type { ConsensusMessage } from '../runtime/consensus-codec.ts';
import type { KeyValueStore } from '../storage/key-value-store.ts';
import { Accountability } from './checks/accountability.ts';
import { CertifiedChain } from './checks/certified-chain.ts';
import { ClientReads } from './checks/client-reads.ts';
import { CommittedChain } from './checks/committed-chain.ts';
import { NodeResults } from './checks/node-results.ts';
import { Replay } from './checks/replay.ts';
import { overheard, SignedWords } from './checks/signed-words.ts';
import type { Property, Violation } from './checks/violation.ts';
import type { Answer, HeadNews } from './readers.ts';
import { WORLD } from './timeline/story.ts';
import type { World, WorldCrypto } from './world.ts';

/** As in chain-runner.ts, chain-blocks.ts and commit-writer.ts: what their own assertions hold, seen from outside. */
const MAILBOX_MAX = 8_192;
const BLOCKS_HELD_MAX = 1_024;
const COMMITS_WAITING_MAX = 4_096;

/** What the checks need of their schedule. */
export interface WatchOptions {
  readonly nodes: number;
  readonly crypto: WorldCrypto;
  readonly startMs: number;
  /** Undefined until the world is made. */
  readonly world: () => World | undefined;
  readonly isHonest: (index: number) => boolean;
  /** A fault permits that the node stops. */
  readonly mayFail: (index: number) => boolean;
  /** Far above what the schedule takes: more are a loop that never comes to its end. */
  readonly eventsMax: number;
  /** Agreement may break: what does is no violation, but its authors must be accused. */
  readonly isBeyondThird: boolean;
}

/** See the file's head. */
export class Watch {
  readonly #options: WatchOptions;
  readonly #words: readonly SignedWords[];
  readonly #chain: CommittedChain;
  readonly #accountability: Accountability;
  /** Blocks that dishonest leaders got wrong, by hash. */
  readonly #wrongBlocks = new Set<Hex>();
  /** What clients were told in the event under way: judged once the replay is there. */
  readonly #answers: Answer[] = [];
  readonly #headNews: HeadNews[] = [];
  #replay: Replay | undefined;
  #certified: CertifiedChain | undefined;
  #results: NodeResults | undefined;
  #reads: ClientReads | undefined;
  #events = 0;
  #violation: Violation | undefined;
  #disagreement: Violation | undefined;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#words = Array.from({ length: options.nodes }, (_unused, index) => new SignedWords(`node-${index}`, this.report));
    this.#chain = new CommittedChain(this.report);
    this.#accountability = new Accountability({
      crypto: options.crypto,
      isHonest: options.isHonest,
      nowMs: () => options.world()?.clock.nowMs() ?? options.startMs,
      nodeOf: (name) => {
        const world = options.world();
        return world?.nodes[world.names.indexOf(name)];
      },
      report: this.report,
    });
  }

  /** Begins to follow the chain of a world that is made. */
  async begin({ genesis }: World): Promise<void> {
    const { crypto, mayFail } = this.#options;
    this.#replay = await Replay.begin({ genesis, crypto, report: this.report });
    this.#certified = new CertifiedChain(this.#replay.instance, crypto.bls, this.report);
    this.#results = new NodeResults(genesis, this.report);
    this.#reads = new ClientReads({ report: this.report, truth: this.#replay, nameOf: (index) => `node-${index}`, mayFail });
  }

  /** Takes what a check found; the first finding counts. */
  readonly report = (property: Property, node: string | undefined, detail: string): void => {
    const world = this.#options.world();
    const violation = { property, node, detail, atMs: (world?.clock.nowMs() ?? this.#options.startMs) - this.#options.startMs };
    const isFork = property === 'agreement' || (property === 'determinism' && this.#disagreement !== undefined);
    if (isFork && this.#options.isBeyondThird) {
      this.#disagreement ??= violation;
      return;
    }
    if (this.#violation !== undefined) return;
    this.#violation = violation;
    world?.chronicle.tell(WORLD, { kind: 'violation', property, ...(node === undefined ? {} : { node }), detail });
  };

  /** The first violation. */
  get violation(): Violation | undefined {
    return this.#violation;
  }

  /** The highest block that anyone committed. */
  get height(): number {
    return this.#chain.height;
  }

  /** The Ethereum block of a final block, visible to clients or not yet. */
  viewAt(number: number): ReturnType<Replay['viewAt']> {
    return this.#replay?.viewAt(number);
  }

  /** An honest node's network, with ears at what it says and hears. `beforeSending` says whether its process ends just there. */
  heard(index: number, name: string, own: Network, beforeSending: () => boolean): Network {
    const onSaid = (message: ConsensusMessage): void => {
      this.#words[index]?.hear(message, this.#options.world()?.disks[index]?.recordFile);
      this.#judgeVote(name, message);
    };
    return overheard(this.#accountability.earOf(name, own), onSaid, beforeSending);
  }

  /** A dishonest leader has signed a block that is not valid: no honest node may vote for it. */
  toldWrong(hashHex: Hex): void {
    this.#wrongBlocks.add(hashHex);
  }

  /** An honest node has started, for the first time or again. */
  started(index: number, node: Node): void {
    this.#chain.restarted(`node-${index}`, node);
    this.#accountability.restarted(`node-${index}`);
    this.#words[index]?.remember(node.chain.runner.state.record);
  }

  /** A node was put on an older copy of its database. */
  forget(index: number): void {
    this.#chain.forget(`node-${index}`);
    this.#reads?.forget(index);
  }

  /** A client got an answer. */
  answered(answer: Answer): void {
    this.#answers.push(answer);
  }

  /** A client heard of a new head. */
  headSeen(news: HeadNews): void {
    this.#headNews.push(news);
  }

  /** Looks at every node: after each event. */
  async look(world: World): Promise<void> {
    const { nodes, names, disks, chronicle } = world;
    const { eventsMax } = this.#options;
    if (++this.#events === eventsMax) this.report('liveness', undefined, `${eventsMax} events, and no end of them`);
    for (const [index, node] of nodes.entries()) {
      const [name, disk] = [names[index], disks[index]];
      if (name === undefined || disk === undefined || !world.isUp(index)) continue;
      chronicle.look(name, node);
      if (!this.#options.isHonest(index)) continue;
      this.#accountability.look(name, node);
      if (this.#disagreement !== undefined) continue; // There is no one chain any more to hold against anything.
      const news = this.#chain.observe(name, node, disk.rows);
      if (this.#disagreement !== undefined) continue;
      for (const stored of news) {
        await this.#replay?.follow(stored, name);
        this.#results?.touched(this.#replay?.newestChanges?.accounts ?? []);
        this.#checkResults(index, name, node, disk.rows);
        if (this.#replay !== undefined) this.#chain.replayed(stored.place.height, this.#replay.stateRoot);
      }
      this.#checkResults(index, name, node, disk.rows);
      this.#certified?.observe(name, node, disk.rows);
      this.#checkBounds(name, node);
    }
    this.#judgeReads();
  }

  /** At the end: what must have come out by now. */
  conclude(): void {
    if (this.#disagreement !== undefined) this.#accountability.requireThird(this.#disagreement.detail);
    this.#accountability.conclude();
  }

  /** What was seen. */
  figures() {
    return {
      blocks: this.#chain.height,
      reads: this.#reads?.checked ?? 0,
      items: this.#replay?.items ?? {},
      violation: this.#violation,
      disagreement: this.#disagreement,
      accused: this.#accountability.accused,
      contradictions: this.#accountability.contradictions,
    };
  }

  // What has rotted cannot be looked at; the node itself must stop at it, or never need it.
  #checkResults(index: number, name: string, node: Node, rows: KeyValueStore): void {
    try {
      this.#results?.observe(name, node, rows);
    } catch (error) {
      if (!this.#options.mayFail(index) || !isError(error, 'storage/corrupt')) throw error;
    }
  }

  #checkBounds(name: string, { chain: { runner, blocks, commits } }: Node): void {
    if (runner.mailboxLength > MAILBOX_MAX) this.report('bounds', name, `${runner.mailboxLength} events wait`);
    if (blocks.size > BLOCKS_HELD_MAX) this.report('bounds', name, `${blocks.size} blocks are held`);
    if (commits.waiting > COMMITS_WAITING_MAX) this.report('bounds', name, `${commits.waiting} commits wait`);
  }

  #judgeVote(name: string, message: ConsensusMessage): void {
    if (message.kind !== 'vote' || this.#wrongBlocks.size === 0) return;
    const hashHex = bytesToHex(message.vote.point.blockHash);
    if (this.#wrongBlocks.has(hashHex)) this.report('validity', name, `voted for ${hashHex}, which is not valid`);
  }

  // Where the chain forked there is no truth to hold answers against.
  #judgeReads(): void {
    const [news, answers] = [this.#headNews.splice(0), this.#answers.splice(0)];
    if (this.#disagreement !== undefined) return;
    for (const each of news) this.#reads?.headSeen(each);
    for (const each of answers) this.#reads?.answered(each);
  }
}
