// The blocks of one chain above its newest committed one: decoded, validated, executed. A tree in memory on top of the committed
// outcome; nothing here touches the disk. Execution is lazy and memoised by block, one block at a time, so a block's result is ready
// by the time its child asks for it, and voting on the child waits for it (protocol, section 5).
import { seedAfter } from '../core/consensus/leader.ts';
import { keccak256 } from '../core/crypto/keccak.ts';
import type { VrfScheme } from '../core/crypto/vrf.ts';
import { commitmentOf } from '../core/execution/commitment.ts';
import { executeBlock } from '../core/execution/execute-block.ts';
import type { DecodedBlock, ExecutedBlock } from '../core/execution/executed-block.ts';
import type { ItemExecutor } from '../core/execution/item-executor.ts';
import { bytesEqual, bytesToHex } from '../core/primitives/bytes.ts';
import { CoppiceError, invariant } from '../core/primitives/errors.ts';
import type { Bytes32, Height, Hex, Round, ValidatorIndex } from '../core/primitives/ids.ts';
import { accept, refuse, type Verdict } from '../core/primitives/verdict.ts';
import { type BlockBody, type BlockHeader, bodyRootOf, type ExecutionCommitment } from '../core/protocol/block.ts';
import type { ExecutionContext } from '../core/protocol/message.ts';
import type { NetworkParameters } from '../core/protocol/parameters.ts';
import type { Transaction } from '../core/protocol/transaction.ts';
import { factsOfBlock, type ParentFacts } from '../core/shard/parent-facts.ts';
import { type BlockRefusal, validateBlock } from '../core/shard/validate-block.ts';
import type { StateDatabase, StateVersion } from '../core/state/state-version.ts';
import type { TransactionDirectory } from './transaction-directory.ts';

declare module '../core/primitives/errors.ts' {
  interface ErrorFacts {
    /** The block was discarded or committed while somebody still worked on it: its outcome is of no use any more. */
    'chain-blocks/not-held': { hash: string };
  }
}

/** Blocks held above the committed one. Consensus keeps few; a Byzantine leader may add one a round. */
export const BLOCKS_HELD_MAX = 1024;
/** BLOCKHASH reaches this far back. */
const BLOCK_HASHES = 256;

/** What a block came to: everything that its child needs. */
export interface Outcome {
  readonly hash: Bytes32;
  readonly facts: ParentFacts;
  readonly commitment: ExecutionCommitment;
  readonly version: StateVersion;
  readonly seed: Bytes32;
}

/** An outcome with what receipts and the view are made of. */
export interface ExecutedOutcome extends Outcome {
  readonly executed: ExecutedBlock;
}

/** Why a block cannot be decoded or is not valid. */
export type BlockFault = BlockRefusal | 'undecodable-transaction' | 'bad-vrf-proof' | 'too-many-blocks';

/** What the tree needs of its node. */
export interface ChainBlocksDependencies {
  readonly parameters: NetworkParameters;
  readonly states: StateDatabase;
  readonly directory: TransactionDirectory;
  readonly evm: ItemExecutor;
  readonly vrf: VrfScheme;
  /** Lets the host's event loop live during long executions; absent in virtual time. */
  readonly pause: (() => Promise<void>) | undefined;
  /** Hash of the committed block at a height, for BLOCKHASH. */
  readonly committedHash: (height: Height) => Bytes32 | undefined;
}

interface HeldBlock {
  readonly block: DecodedBlock;
  seed: Bytes32 | undefined;
  outcome: Promise<ExecutedOutcome> | undefined;
}

/** See the file's head. */
export class ChainBlocks {
  readonly #dependencies: ChainBlocksDependencies;
  readonly #held = new Map<Hex, HeldBlock>();
  #committed: Outcome;
  #lastExecution: Promise<unknown> = Promise.resolve();

  constructor(dependencies: ChainBlocksDependencies, committed: Outcome) {
    this.#dependencies = dependencies;
    this.#committed = committed;
  }

  /** The outcome of the newest committed block, or of the start record. */
  get committed(): Outcome {
    return this.#committed;
  }

  /** How many blocks are held: a metric. */
  get size(): number {
    return this.#held.size;
  }

  /** How many blocks of one proposer and round are held. */
  countBy(proposer: ValidatorIndex, round: Round): number {
    let count = 0;
    for (const { block } of this.#held.values()) if (block.header.round === round && block.header.proposer === proposer) count++;
    return count;
  }

  /** The block, if it is held. */
  get(hash: Bytes32): DecodedBlock | undefined {
    return this.#held.get(bytesToHex(hash))?.block;
  }

  /** Decodes a block's transactions and holds it. */
  async add(hash: Bytes32, header: BlockHeader, body: BlockBody): Promise<Verdict<DecodedBlock, BlockFault>> {
    const transactionHashes = body.transactions.map((raw) => keccak256(raw));
    // Else whoever hands a block on could swap its body.
    if (!bytesEqual(bodyRootOf(body, transactionHashes), header.bodyRoot)) return refuse('wrong-body-root');
    const known = this.get(hash);
    if (known !== undefined) return accept(known);
    const transactions: Transaction[] = [];
    for (const decoded of await this.#dependencies.directory.decode(body.transactions, transactionHashes)) {
      if (!decoded.ok) return refuse('undecodable-transaction', `${decoded.reason} ${decoded.detail}`);
      transactions.push(decoded.value);
    }
    return this.hold({ hash, hashHex: bytesToHex(hash), header, body, transactions });
  }

  /** Holds a decoded block. */
  hold(block: DecodedBlock): Verdict<DecodedBlock, BlockFault> {
    const known = this.#held.get(block.hashHex);
    if (known !== undefined) return accept(known.block);
    if (this.#held.size >= BLOCKS_HELD_MAX) return refuse('too-many-blocks', `${this.#held.size} are held`);
    this.#held.set(block.hashHex, { block, seed: undefined, outcome: undefined });
    return accept(block);
  }

  /** Hashes of the transactions in uncommitted blocks from this one down: a block on it cannot hold them again. */
  inFlightOn(hash: Bytes32): ReadonlySet<Hex> {
    const hashes = new Set<Hex>();
    for (const { transactions } of this.#heldFrom(hash)) for (const { hashHex } of transactions) hashes.add(hashHex);
    return hashes;
  }

  /** The gas that these bought. */
  inFlightGasOn(hash: Bytes32): number {
    let gas = 0;
    for (const { header } of this.#heldFrom(hash)) gas += header.gasBought;
    return gas;
  }

  /** Checks the block against its parent's outcome and its leader's VRF key, and starts to execute it. Gives the VRF output. */
  async validate(hash: Bytes32, vrfPublicKey: Uint8Array, vrfAlpha: Uint8Array): Promise<Verdict<Uint8Array, BlockFault>> {
    const held = this.#require(hash);
    const vrfOutput = this.#dependencies.vrf.verify(vrfPublicKey, vrfAlpha, held.block.header.vrfProof);
    if (vrfOutput === undefined) return refuse('bad-vrf-proof');
    const parent = await this.outcomeOf(held.block.header.parentHash);
    const verdict = validateBlock({
      block: held.block,
      parent: parent.facts,
      parentExecution: parent.commitment,
      parentState: parent.version,
      parameters: this.#dependencies.parameters,
    });
    if (!verdict.ok) return verdict;
    this.trust(hash, parent.seed, vrfOutput);
    return accept(vrfOutput);
  }

  /** Marks a held block as valid: just validated, made by ourselves, or stored after it was. Starts to execute it. */
  trust(hash: Bytes32, parentSeed: Bytes32, vrfOutput: Uint8Array): void {
    const held = this.#require(hash);
    held.seed ??= seedAfter(parentSeed, vrfOutput);
    this.outcomeOf(hash).catch(() => undefined); // Whoever asks for the outcome meets the fault.
  }

  /** Marks a stored block as valid when the node starts again; parents come first. It is executed when its outcome is asked for. */
  restore(hash: Bytes32, vrfOutput: Uint8Array): void {
    const held = this.#require(hash);
    const { parentHash } = held.block.header;
    const parentSeed =
      this.#held.get(bytesToHex(parentHash))?.seed ?? (bytesEqual(parentHash, this.#committed.hash) ? this.#committed.seed : undefined);
    if (parentSeed !== undefined) held.seed = seedAfter(parentSeed, vrfOutput);
  }

  /** The outcome of the committed block, or of a valid block above it, as soon as it is executed. */
  outcomeOf(hash: Bytes32): Promise<Outcome> {
    const hashHex = bytesToHex(hash);
    if (hashHex === bytesToHex(this.#committed.hash)) return Promise.resolve(this.#committed);
    return this.executedOutcomeOf(hash);
  }

  /** As `outcomeOf`, of a block above the committed one. */
  executedOutcomeOf(hash: Bytes32): Promise<ExecutedOutcome> {
    const held = this.#require(hash);
    held.outcome ??= this.#executeInTurn(held);
    return held.outcome;
  }

  /** The held block became the committed one: its rows are on disk. Whatever else is held of its height or below is void. */
  adopt(outcome: ExecutedOutcome): void {
    this.#committed = outcome;
    for (const [hashHex, { block }] of this.#held) if (block.header.height <= outcome.facts.height) this.#held.delete(hashHex);
  }

  /** Forgets blocks that can never be committed. */
  discard(hashes: readonly Bytes32[]): void {
    for (const hash of hashes) this.#held.delete(bytesToHex(hash));
  }

  *#heldFrom(hash: Bytes32): Generator<DecodedBlock> {
    for (let held = this.#held.get(bytesToHex(hash)); held !== undefined; held = this.#held.get(bytesToHex(held.block.header.parentHash)))
      yield held.block;
  }

  #require(hash: Bytes32): HeldBlock {
    const held = this.#held.get(bytesToHex(hash));
    if (held === undefined) throw new CoppiceError('chain-blocks/not-held', { hash: bytesToHex(hash) });
    return held;
  }

  // The EVM takes one item at a time, so blocks queue up; a parent is always ahead of its child.
  async #executeInTurn(held: HeldBlock): Promise<ExecutedOutcome> {
    const parent = this.outcomeOf(held.block.header.parentHash);
    const turn = Promise.allSettled([this.#lastExecution, parent]);
    const execution = turn.then(async () => this.#execute(held, await parent));
    this.#lastExecution = execution.catch(() => undefined);
    return execution;
  }

  async #execute({ block, seed }: HeldBlock, parent: Outcome): Promise<ExecutedOutcome> {
    invariant(seed !== undefined, 'only valid blocks are executed');
    const { parameters, evm, states, pause } = this.#dependencies;
    const result = await executeBlock({
      transactions: block.transactions,
      parentState: parent.version,
      parentBaseFeePerGasWei: parent.facts.baseFeePerGasWei,
      context: this.#contextOn(parent),
      parameters,
      evm,
      ...(pause === undefined ? {} : { pause }),
    });
    const version = states.extend(parent.version, block.header.height, result.changeSet);
    const commitment = commitmentOf(result, version.root);
    return { hash: block.hash, facts: factsOfBlock(block), commitment, version, seed, executed: { block, result, commitment } };
  }

  // Until there is a beacon the parent stands for the beacon reference: NUMBER, TIMESTAMP and PREVRANDAO are its own.
  #contextOn(parent: Outcome): ExecutionContext {
    const { height, timestampMs } = parent.facts;
    return {
      referenceHeight: height,
      referenceTimestampMs: timestampMs,
      prevRandao: parent.seed,
      blockHash: (wanted) => (wanted < height && wanted >= height - BLOCK_HASHES ? this.#ancestorHash(parent, wanted) : undefined),
    };
  }

  #ancestorHash(from: Outcome, wanted: Height): Bytes32 | undefined {
    let hash = from.hash;
    for (let held = this.#held.get(bytesToHex(hash)); held !== undefined; held = this.#held.get(bytesToHex(hash))) {
      if (held.block.header.height === wanted) return hash;
      hash = held.block.header.parentHash;
    }
    return this.#dependencies.committedHash(wanted);
  }
}
