// Validity, determinism, conservation, exactly once: every block that becomes final is validated and executed again, once, from its
// parent's state alone, by a node that took part in nothing. What it comes to must be what the next header says, what all accounts
// gained and lost must be what was burned and is owed, no message or transaction may come a second time, each wave is what the one before
// emitted, in its order, and what messages owe each other is there (message-rules.ts); and each family's items come to the same when they are executed alone (family-replay.ts).
import { type ChainPoint, leaderOf, pointAfter, vrfAlphaOf } from '../../core/consensus/leader.ts';
import { initialiseKeccak } from '../../core/crypto/keccak.ts';
import { createOwnLoopExecutor } from '../../core/execution/evm/own-loop-executor.ts';
import type { ItemExecutor } from '../../core/execution/item-executor.ts';
import { bytesEqual, bytesToHex } from '../../core/primitives/bytes.ts';
import { invariant } from '../../core/primitives/errors.ts';
import { type Bytes32, type Height, ROOT_SHARD, type Wei } from '../../core/primitives/ids.ts';
import { blockHashOf } from '../../core/protocol/block.ts';
import { Block } from '../../core/protocol/certified-block.ts';
import type { Instance } from '../../core/protocol/committee.ts';
import type { Genesis } from '../../core/protocol/genesis.ts';
import { decodeCanonical } from '../../core/protocol/ssz.ts';
import type { ChangeSet } from '../../core/state/change-set.ts';
import { createStateDatabase } from '../../core/state/state-database.ts';
import type { StateDatabase, StateVersion } from '../../core/state/state-version.ts';
import { deriveViewBlock } from '../../core/view/derive-block.ts';
import type { ViewBlock } from '../../core/view/view-block.ts';
import { type LoadedChain, loadChain } from '../../node/chain-storage.ts';
import { ChainBlocks } from '../../runtime/chain-blocks.ts';
import { createShardLogic, type ExecutedShardOutcome, type ShardOutcome } from '../../runtime/shard-logic.ts';
import { TransactionDirectory } from '../../runtime/transaction-directory.ts';
import { createBlockStore, type StoredBlock } from '../../storage/block-store.ts';
import { createMemoryStore, type MemoryStore } from '../../storage/memory-store.ts';
import { createViewStore } from '../../storage/view-store.ts';
import { inlineVerifier } from '../inline-verifier.ts';
import type { WorldCrypto } from '../world.ts';
import { replayFamilies } from './family-replay.ts';
import { brokenMessageRules } from './message-rules.ts';
import type { Report } from './violation.ts';

/** BLOCKHASH reaches this far back. */
const BLOCK_HASHES = 256;

/** See the file's head. */
export class Replay {
  readonly #report: Report;
  readonly #genesis: Genesis;
  readonly #crypto: WorldCrypto;
  readonly #store: MemoryStore;
  readonly #states: StateDatabase;
  readonly #loaded: LoadedChain;
  readonly #blocks: ChainBlocks<ShardOutcome, ExecutedShardOutcome>;
  readonly #executor: ItemExecutor;
  readonly #executed = new Set<string>();
  /** By number. */
  readonly #views: ViewBlock[];
  readonly #items: Record<string, number> = {};
  readonly #hashes = new Map<Height, Bytes32>();
  #point: ChainPoint;
  #newestChanges: ChangeSet | undefined;

  private constructor(
    options: { readonly genesis: Genesis; readonly crypto: WorldCrypto; readonly report: Report },
    stores: { readonly store: MemoryStore; readonly states: StateDatabase },
    loaded: LoadedChain,
  ) {
    this.#report = options.report;
    this.#genesis = options.genesis;
    this.#crypto = options.crypto;
    this.#store = stores.store;
    this.#states = stores.states;
    this.#loaded = loaded;
    this.#views = [loaded.newest.block];
    const { parameters } = options.genesis;
    this.#executor = createOwnLoopExecutor(parameters.evmChainId, options.crypto.secp256k1);
    this.#blocks = new ChainBlocks(
      {
        logic: createShardLogic({
          parameters,
          states: stores.states,
          directory: new TransactionDirectory(inlineVerifier(options.crypto), parameters.evmChainId),
          evm: this.#executor,
          pause: undefined,
        }),
        vrf: options.crypto.vrf,
        committedHash: (height) => this.#hashAt(height),
      },
      loaded.committed,
    );
    const { startRecord, startRecordRoot } = loaded.instance;
    this.#point = { hash: startRecordRoot, height: startRecord.height, round: 0, seed: startRecord.seed, anchors: [] };
  }

  /** A replay from genesis on. */
  static async begin(options: { readonly genesis: Genesis; readonly crypto: WorldCrypto; readonly report: Report }): Promise<Replay> {
    await initialiseKeccak();
    const store = createMemoryStore();
    const states = await createStateDatabase(store, ROOT_SHARD);
    const opening = { store, blockStore: createBlockStore(store), viewStore: createViewStore(store), states, vrf: options.crypto.vrf };
    return new Replay(options, { store, states }, await loadChain(options.genesis, opening));
  }

  /** The instance that it follows. */
  get instance(): Instance {
    return this.#loaded.instance;
  }

  /** The next block that became final. */
  async follow(stored: StoredBlock, name: string): Promise<void> {
    const block = decodeCanonical(Block, stored.block);
    if (!block.ok) return this.#report('validity', name, `block ${stored.place.height} does not decode: ${block.reason}`);
    const { header, body } = block.value;
    const { height } = header;
    if (!bytesEqual(blockHashOf(header), stored.hash)) return this.#report('validity', name, `block ${height} has another hash`);
    if (!bytesEqual(header.parentHash, this.#point.hash))
      return this.#report('agreement', name, `block ${height} is not a child of block ${this.#point.height}`);
    const { instance } = this.#loaded;
    const leader = leaderOf(instance, this.#point, header.round);
    if (header.proposer !== leader) return this.#report('validity', name, `block ${height} is of ${header.proposer}, leader is ${leader}`);
    const added = await this.#blocks.add(stored.hash, header, body);
    if (!added.ok) return this.#report('validity', name, `block ${height}: ${added.reason} ${added.detail}`);
    const member = instance.committee.members.find(({ validator }) => validator === leader);
    invariant(member !== undefined, 'the leader is a member');
    const alpha = vrfAlphaOf(instance, this.#point.seed, header.round);
    const verdict = await this.#blocks.validate(stored.hash, member.vrfPublicKey, alpha);
    if (!verdict.ok) return this.#report('validity', name, `block ${height}: ${verdict.reason} ${verdict.detail}`);
    const parent = this.#blocks.committed;
    const outcome = await this.#blocks.executedOutcomeOf(stored.hash);
    this.#newestChanges = outcome.executed.result.changeSet;
    this.#checkMoney(name, outcome);
    this.#checkOnce(name, outcome);
    this.#checkWaves(name, outcome);
    for (const { property, detail } of brokenMessageRules(outcome.executed.result.messages))
      this.#report(property, name, `block ${height}: ${detail}`);
    await this.#checkFamilies(name, parent, outcome);
    await this.#store.write([...this.#states.commit(outcome.version)], { sync: true });
    this.#states.adopted(outcome.version);
    this.#blocks.adopt(outcome);
    this.#views.push(this.#viewOf(outcome, parent));
    this.#hashes.set(height, stored.hash);
    const { leaderWindow } = this.#genesis.parameters;
    this.#point = pointAfter(this.#point, { hash: stored.hash, height, round: header.round }, verdict.value, leaderWindow);
  }

  /** The Ethereum block of a final block, visible to clients or not yet. */
  viewAt(number: number): ViewBlock | undefined {
    return this.#views[number];
  }

  /** The state after a final block. */
  stateAt(number: number): StateVersion | undefined {
    return this.#states.at(number);
  }

  /** Messages executed, by kind and outcome. */
  get items(): Readonly<Record<string, number>> {
    return this.#items;
  }

  /** What the newest block changed. */
  get newestChanges(): ChangeSet | undefined {
    return this.#newestChanges;
  }

  /** The state root after the newest block. */
  get stateRoot(): string {
    return bytesToHex(this.#states.committed().root);
  }

  #viewOf({ executed, facts, seed, version, hash }: ExecutedShardOutcome, parent: ShardOutcome): ViewBlock {
    const { height, timestampMs } = facts;
    const { baseFeePerGasWei } = parent.facts;
    return deriveViewBlock(
      { number: height, hash, timestampMs, prevRandao: seed, worldRoot: version.root, baseFeePerGasWei },
      this.#views[height - 1],
      [executed],
      this.#genesis.parameters,
    );
  }

  #checkMoney(name: string, { executed, facts }: ExecutedShardOutcome): void {
    const { changeSet, burnedFeesWei, proposerFeesWei } = executed.result;
    const gained = gainOf(changeSet);
    const sum = gained + burnedFeesWei + proposerFeesWei;
    if (sum !== 0n)
      this.#report(
        'conservation',
        name,
        `block ${facts.height}: accounts gained ${gained}, burned ${burnedFeesWei}, owed ${proposerFeesWei}`,
      );
  }

  #checkOnce(name: string, { executed, facts }: ExecutedShardOutcome): void {
    for (const { hashHex } of executed.block.transactions) this.#once(name, `transaction ${hashHex}`, facts.height);
    for (const { message, outcome } of executed.result.messages) {
      const item = `${message.kind} ${outcome}`;
      this.#items[item] = (this.#items[item] ?? 0) + 1;
      if (outcome !== 'forwarded') this.#once(name, `message ${bytesToHex(message.id)}`, facts.height);
    }
  }

  // Wave 1 is the main calls in the order of the transactions, each further wave what the one before emitted.
  #checkWaves(name: string, { executed, facts }: ExecutedShardOutcome): void {
    const waves = new Map<number, { readonly ids: string[]; readonly emitted: string[] }>();
    for (const { message, wave, emitted } of executed.result.messages) {
      const of = waves.get(wave) ?? { ids: [], emitted: [] };
      waves.set(wave, of);
      of.ids.push(bytesToHex(wave === 1 ? message.emitterId : message.id));
      of.emitted.push(...emitted.map(bytesToHex));
    }
    let expected = executed.block.transactions.map(({ hashHex }) => hashHex as string);
    for (let wave = 1; wave <= waves.size + 1; wave++) {
      const { ids, emitted } = waves.get(wave) ?? { ids: [], emitted: [] };
      if (ids.join() !== expected.join())
        this.#report('exactly-once', name, `wave ${wave} of block ${facts.height} is ${ids.join()}, emitted was ${expected.join()}`);
      expected = emitted;
    }
  }

  async #checkFamilies(name: string, parent: ShardOutcome, { executed, facts }: ExecutedShardOutcome): Promise<void> {
    const { height, timestampMs, baseFeePerGasWei } = parent.facts;
    const found = await replayFamilies(
      {
        transactions: executed.block.transactions,
        result: executed.result,
        parentState: parent.version,
        parentBaseFeePerGasWei: baseFeePerGasWei,
        context: {
          referenceHeight: height,
          referenceTimestampMs: timestampMs,
          prevRandao: parent.seed,
          blockHash: (wanted) => (wanted < height && wanted >= height - BLOCK_HASHES ? this.#hashAt(wanted) : undefined),
        },
        gasLimitSeenByCode: this.#genesis.parameters.transactionGasLimitMax,
      },
      this.#executor,
    );
    for (const detail of found) this.#report('layout-independence', name, `block ${facts.height}: ${detail}`);
  }

  #once(name: string, what: string, height: number): void {
    if (this.#executed.has(what)) this.#report('exactly-once', name, `${what} is executed again in block ${height}`);
    this.#executed.add(what);
  }

  #hashAt(height: Height): Bytes32 | undefined {
    const { startRecord, startRecordRoot } = this.#loaded.instance;
    return height === startRecord.height ? startRecordRoot : this.#hashes.get(height);
  }
}

function gainOf({ accounts }: ChangeSet): Wei {
  return accounts.reduce((sum, { before, after }) => sum + (after?.balanceWei ?? 0n) - (before?.balanceWei ?? 0n), 0n);
}
