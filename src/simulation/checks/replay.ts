// Validity, determinism, conservation, exactly once: every block that becomes final is validated and executed again, once, from its
// parent's state alone, by a node that took part in nothing. What it comes to must be what the next header says, what all accounts
// gained and lost must be what was burned and is owed, and no message or transaction may come a second time.
import { type ChainPoint, leaderOf, pointAfter, vrfAlphaOf } from '../../core/consensus/leader.ts';
import { initialiseKeccak } from '../../core/crypto/keccak.ts';
import { createOwnLoopExecutor } from '../../core/execution/evm/own-loop-executor.ts';
import { bytesEqual, bytesToHex } from '../../core/primitives/bytes.ts';
import { invariant } from '../../core/primitives/errors.ts';
import type { Bytes32, Height, Wei } from '../../core/primitives/ids.ts';
import { blockHashOf } from '../../core/protocol/block.ts';
import { Block } from '../../core/protocol/certified-block.ts';
import type { Instance } from '../../core/protocol/committee.ts';
import type { Genesis } from '../../core/protocol/genesis.ts';
import { decodeCanonical } from '../../core/protocol/ssz.ts';
import type { ChangeSet } from '../../core/state/change-set.ts';
import { createStateDatabase } from '../../core/state/state-database.ts';
import type { StateDatabase } from '../../core/state/state-version.ts';
import { type LoadedChain, loadChain } from '../../node/chain-storage.ts';
import { ChainBlocks, type ExecutedOutcome } from '../../runtime/chain-blocks.ts';
import { TransactionDirectory } from '../../runtime/transaction-directory.ts';
import { createBlockStore, type StoredBlock } from '../../storage/block-store.ts';
import { createMemoryStore, type MemoryStore } from '../../storage/memory-store.ts';
import { createViewStore } from '../../storage/view-store.ts';
import { inlineVerifier } from '../inline-verifier.ts';
import type { WorldCrypto } from '../world.ts';
import type { Report } from './violation.ts';

/** See the file's head. */
export class Replay {
  readonly #report: Report;
  readonly #genesis: Genesis;
  readonly #crypto: WorldCrypto;
  readonly #store: MemoryStore;
  readonly #states: StateDatabase;
  readonly #loaded: LoadedChain;
  readonly #blocks: ChainBlocks;
  readonly #executed = new Set<string>();
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
    const { parameters } = options.genesis;
    this.#blocks = new ChainBlocks(
      {
        parameters,
        states: stores.states,
        directory: new TransactionDirectory(inlineVerifier(options.crypto), parameters.evmChainId),
        evm: createOwnLoopExecutor(parameters.evmChainId, options.crypto.secp256k1),
        vrf: options.crypto.vrf,
        pause: undefined,
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
    const states = await createStateDatabase(store);
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
    const outcome = await this.#blocks.executedOutcomeOf(stored.hash);
    this.#newestChanges = outcome.executed.result.changeSet;
    this.#checkMoney(name, outcome);
    this.#checkOnce(name, outcome);
    await this.#store.write([...this.#states.commit(outcome.version)], { sync: true });
    this.#states.adopted(outcome.version);
    this.#blocks.adopt(outcome);
    this.#hashes.set(height, stored.hash);
    const { leaderWindow } = this.#genesis.parameters;
    this.#point = pointAfter(this.#point, { hash: stored.hash, height, round: header.round }, verdict.value, leaderWindow);
  }

  /** What the newest block changed. */
  get newestChanges(): ChangeSet | undefined {
    return this.#newestChanges;
  }

  /** The state root after the newest block. */
  get stateRoot(): string {
    return bytesToHex(this.#states.committed().root);
  }

  #checkMoney(name: string, { executed, facts }: ExecutedOutcome): void {
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

  #checkOnce(name: string, { executed, facts }: ExecutedOutcome): void {
    for (const { hashHex } of executed.block.transactions) this.#once(name, `transaction ${hashHex}`, facts.height);
    for (const { message } of executed.result.messages) this.#once(name, `message ${bytesToHex(message.id)}`, facts.height);
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
