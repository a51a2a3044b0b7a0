// All checks of one schedule: what they are told, when they look, and the first thing that one of them finds. What they check is in the
// folder of that name, a property or two a file.
import { bytesToHex } from '../core/primitives/bytes.ts';
import { isError } from '../core/primitives/errors.ts';
import type { Hex } from '../core/primitives/ids.ts';
import type { Network } from '../network/ports.ts';
import type { Node } from '../node/create-node.ts';
import { type ConsensusMessage, instanceIdOf } from '../runtime/consensus-codec.ts';
import type { StoredBlock } from '../storage/block-store.ts';
import type { KeyValueStore } from '../storage/key-value-store.ts';
import { chainsOf } from './chains-of.ts';
import { Accountability } from './checks/accountability.ts';
import { Bounds } from './checks/bounds.ts';
import { CertifiedChain } from './checks/certified-chain.ts';
import { ClientReads } from './checks/client-reads.ts';
import { CommittedChain } from './checks/committed-chain.ts';
import { NodeResults } from './checks/node-results.ts';
import { Replay } from './checks/replay.ts';
import { ShardVotes } from './checks/shard-votes.ts';
import { overheard, SignedWords } from './checks/signed-words.ts';
import type { Property, Violation } from './checks/violation.ts';
import type { Answer, HeadNews, Question } from './readers.ts';
import { accusing } from './speaking.ts';
import { WORLD } from './timeline/story.ts';
import type { World, WorldCrypto } from './world.ts';

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

/** What of a node the checks look at. */
interface Looked {
  readonly chains: ReturnType<typeof chainsOf>;
  readonly block: unknown;
  readonly parts: readonly { readonly state: unknown; readonly committed: unknown; readonly evidence: number }[];
}

/** See the file's head. */
export class Watch {
  readonly #options: WatchOptions;
  readonly #words: readonly SignedWords[];
  readonly #chain: CommittedChain;
  readonly #accountability: Accountability;
  readonly #bounds: Bounds;
  readonly #shardVotes: ShardVotes;
  /** By node: the network of its present life. */
  readonly #present = new Map<number, Network>();
  /** Blocks that dishonest leaders got wrong, by hash. */
  readonly #wrongBlocks = new Set<Hex>();
  /** What clients were told in the event under way: judged once the replay is there. */
  readonly #answers: Answer[] = [];
  readonly #headNews: HeadNews[] = [];
  #replay: Replay | undefined;
  #certified: CertifiedChain | undefined;
  #results: NodeResults | undefined;
  #reads: ClientReads | undefined;
  /** By node: what it was when all checks looked at it last. */
  readonly #looked = new Map<number, Looked>();
  #events = 0;
  #violation: Violation | undefined;
  #disagreement: Violation | undefined;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#words = Array.from({ length: options.nodes }, (_unused, index) => new SignedWords(`node-${index}`, this.report));
    this.#chain = new CommittedChain(this.report, () => this.#replay?.takeovers);
    this.#bounds = new Bounds(this.report, () => options.world()?.genesis.parameters);
    const nodeOf = (name: string): Node | undefined => {
      const world = options.world();
      return world?.nodes[world.names.indexOf(name)];
    };
    this.#shardVotes = new ShardVotes(nodeOf, () => options.world()?.genesis.parameters, this.report);
    this.#accountability = new Accountability({
      crypto: options.crypto,
      isHonest: options.isHonest,
      nowMs: () => options.world()?.clock.nowMs() ?? options.startMs,
      nodeOf,
      report: this.report,
    });
  }

  /** Begins to follow the chains of a world that is made. */
  async begin({ genesis }: World): Promise<void> {
    const { crypto, mayFail } = this.#options;
    const replay = await Replay.begin({ genesis, crypto, report: this.report });
    this.#replay = replay;
    this.#certified = new CertifiedChain(replay, crypto.bls, this.report);
    this.#results = new NodeResults(replay, this.report);
    this.#reads = new ClientReads({ report: this.report, truth: replay, nameOf: (index) => `node-${index}`, mayFail });
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

  /** Agreement broke, where it may. */
  get hasForked(): boolean {
    return this.#disagreement !== undefined;
  }

  /** By chain, the highest block that anyone committed. */
  get heights(): CommittedChain['heights'] {
    return this.#chain.heights;
  }

  /** The highest block that anyone showed to clients. */
  get viewHeight(): number {
    return this.#chain.viewHeight;
  }

  /** The view block whose executions sent the oldest message that is under way between shards; undefined where none is. */
  get oldestUnderWay(): number | undefined {
    return this.#replay?.oldestUnderWay;
  }

  /** A block of the one chain that clients see, visible to them or not yet. */
  viewAt(number: number): ReturnType<Replay['view']['viewAt']> {
    return this.#replay?.view.viewAt(number);
  }

  /** An honest node's network, with ears at what it says and hears. `beforeSending` says whether its process ends just there. */
  heard(index: number, name: string, own: Network, beforeSending: () => boolean): Network {
    const onSaid = (message: ConsensusMessage): void => {
      this.#words[index]?.hear(message, this.#options.world()?.disks[index]?.recordFileOf(instanceIdOf(message)));
      this.#judgeVote(name, message);
      this.#shardVotes.said(name, message);
    };
    this.#present.set(index, own);
    const accused = accusing(own, (peer, reason) => {
      const world = this.#options.world();
      const isAlive = world === undefined || world.isUp(index) || world.isStarting(index);
      // What a process that ended was about may still come to an end, on a database that is another's by now.
      if (isAlive && this.#present.get(index) === own) this.#judgeOffence(name, peer, reason);
    });
    return overheard(this.#accountability.earOf(name, this.#shardVotes.earOf(name, accused)), onSaid, beforeSending);
  }

  /** A dishonest leader has signed a block that is not valid: no honest node may vote for it. */
  toldWrong(hashHex: Hex): void {
    this.#wrongBlocks.add(hashHex);
  }

  /** An honest node has started, for the first time or again. */
  started(index: number, node: Node): void {
    this.#looked.delete(index);
    this.#chain.restarted(`node-${index}`, node);
    this.#accountability.restarted(`node-${index}`);
    this.#bounds.restarted(`node-${index}`);
    this.#shardVotes.restarted(`node-${index}`);
    this.#words[index]?.remember(this.#options.world()?.disks[index]?.recordFiles ?? []);
  }

  /** A node was put on an older copy of its database. */
  forget(index: number): void {
    this.#looked.delete(index);
    this.#chain.forget(`node-${index}`);
    this.#reads?.forget(index);
  }

  /** A client got an answer. */
  answered(answer: Answer): void {
    this.#answers.push(answer);
  }

  /** A client has asked a node that runs, and waits for nothing. */
  unanswered(index: number, question: Question): void {
    this.report('liveness', `node-${index}`, `${JSON.stringify(question)} is not answered`);
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
      if (this.#options.isHonest(index)) this.#bounds.look(name, node, () => disk.recordFiles.length);
      if (!this.#isChanged(index, node)) continue;
      chronicle.look(name, node);
      if (!this.#options.isHonest(index)) continue;
      this.#accountability.look(name, node);
      if (this.#disagreement !== undefined) continue; // There is no one chain any more to hold against anything.
      const news = this.#chain.observe(name, node, disk.rows);
      if (this.#disagreement !== undefined) continue;
      if (news.length > 0) await this.#replayNews(news, name);
      this.#checkResults(index, name, node, disk.rows);
      if (this.#certified?.observe(name, node, disk.rows) === false) this.#looked.delete(index);
    }
    await this.#judgeReads();
  }

  /** At the end: what must have come out by now. */
  conclude(): void {
    if (this.#disagreement !== undefined) this.#accountability.requireThird(this.#disagreement.detail);
    this.#accountability.conclude();
  }

  /** What was seen. */
  figures() {
    return {
      heights: Object.fromEntries(this.#chain.heights),
      blocks: [...this.#chain.heights.values()].reduce((sum, height) => sum + height, 0),
      reads: this.#reads?.checked ?? 0,
      items: this.#replay?.items ?? {},
      violation: this.#violation,
      disagreement: this.#disagreement,
      accused: this.#accountability.accused,
      contradictions: this.#accountability.contradictions,
    };
  }

  // All that is looked at is in values that give way to others when anything of them changes; an event is at one node, as a rule.
  #isChanged(index: number, node: Node): boolean {
    const chains = chainsOf(node);
    const block = node.view?.head.block;
    const last = this.#looked.get(index);
    if (
      last?.chains === chains &&
      last.block === block &&
      chains.every(({ runner, blocks, evidence }, place) => {
        const before = last.parts[place];
        return before?.state === runner.state && before.committed === blocks.committed && before.evidence === evidence.list().length;
      })
    )
      return false;
    const parts = chains.map(({ runner, blocks, evidence }) => ({
      state: runner.state,
      committed: blocks.committed,
      evidence: evidence.list().length,
    }));
    this.#looked.set(index, { chains, block, parts });
    return true;
  }

  async #replayNews(news: readonly StoredBlock[], name: string): Promise<void> {
    const replay = this.#replay;
    if (replay === undefined) return;
    const before = replay.view.height;
    replay.take(news, name);
    for (const { stateRoot, place } of await replay.advance()) this.#chain.replayed(place, stateRoot);
    for (const takeover of replay.newTakeovers()) this.#chain.takenOver(takeover);
    for (let number = before + 1; number <= replay.view.height; number++)
      this.#chain.derived(number, replay.view.viewAt(number)?.hashHex ?? '');
  }

  // What has rotted cannot be looked at; the node itself must stop at it, or never need it.
  #checkResults(index: number, name: string, node: Node, rows: KeyValueStore): void {
    try {
      this.#results?.observe(name, node, rows);
    } catch (error) {
      if (!this.#options.mayFail(index) || !isError(error, 'storage/corrupt')) throw error;
    }
  }

  #judgeVote(name: string, message: ConsensusMessage): void {
    if (message.kind !== 'vote' || this.#wrongBlocks.size === 0) return;
    const hashHex = bytesToHex(message.vote.point.blockHash);
    if (this.#wrongBlocks.has(hashHex)) this.report('validity', name, `voted for ${hashHex}, which is not valid`);
  }

  // What one honest node says is right, so that no other may count it as an offence, whatever it has seen and whenever it looks. What has rotted on a
  // disk is not what its node would say.
  #judgeOffence(name: string, peer: string, reason: string): void {
    if (this.#options.isBeyondThird) return;
    const index = this.#options.world()?.names.indexOf(peer) ?? -1;
    if (index < 0 || !this.#options.isHonest(index) || this.#options.mayFail(index)) return;
    this.report('validity', name, `counts an offence of ${peer}, which is honest: ${reason}`);
  }

  // Where the chain forked there is no truth to hold answers against.
  async #judgeReads(): Promise<void> {
    const [news, answers] = [this.#headNews.splice(0), this.#answers.splice(0)];
    if (this.#disagreement !== undefined) return;
    for (const each of news) this.#reads?.headSeen(each);
    for (const each of answers) await this.#reads?.answered(each);
  }
}
