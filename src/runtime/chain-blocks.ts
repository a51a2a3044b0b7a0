// The blocks of one chain above its newest committed one: decoded, validated, executed. A tree in memory on top of the committed
// outcome; nothing here touches the disk. Execution is lazy and memoised by block, one block at a time, so a block's result is ready
// by the time its child asks for it, and voting on the child waits for it (protocol, section 5).
import { type BlockRole, isCarrier } from '../core/consensus/block-role.ts';
import { checkCarrierContent } from '../core/consensus/carrier-content.ts';
import { seedAfter } from '../core/consensus/leader.ts';
import { keccak256 } from '../core/crypto/keccak.ts';
import type { VrfScheme } from '../core/crypto/vrf.ts';
import type { DecodedBlock } from '../core/execution/executed-block.ts';
import { bytesEqual, bytesToHex } from '../core/primitives/bytes.ts';
import { CoppiceError, invariant } from '../core/primitives/errors.ts';
import type { Bytes32, Height, Hex, Round, ValidatorIndex } from '../core/primitives/ids.ts';
import { accept, refuse, type Verdict } from '../core/primitives/verdict.ts';
import { type BlockBody, type BlockHeader, bodyRootOf } from '../core/protocol/block.ts';
import type { Transaction } from '../core/protocol/transaction.ts';
import type { BlockFault, BlockToExecute, ChainLogic, Outcome } from './chain-logic.ts';

declare module '../core/primitives/errors.ts' {
  interface ErrorFacts {
    /** The block was discarded or committed while somebody still worked on it: its outcome is of no use any more. */
    'chain-blocks/not-held': { hash: string };
  }
}

/** Blocks held above the committed one. Consensus keeps few; a Byzantine leader may add one a round. */
export const BLOCKS_HELD_MAX = 1024;
/** What the tree needs of its node. */
export interface ChainBlocksDependencies<Start extends Outcome, Executed extends Start> {
  readonly logic: ChainLogic<Start, Executed>;
  readonly vrf: VrfScheme;
  /** Hash of the committed block at a height. */
  readonly committedHash: (height: Height) => Bytes32 | undefined;
}

interface HeldBlock<Executed> {
  readonly block: DecodedBlock;
  seed: Bytes32 | undefined;
  outcome: Promise<Executed> | undefined;
}

/** See the file's head. `Start` and `Executed` are those of the chain's logic. */
export class ChainBlocks<Start extends Outcome = Outcome, Executed extends Start = Start> {
  readonly #dependencies: ChainBlocksDependencies<Start, Executed>;
  readonly #held = new Map<Hex, HeldBlock<Executed>>();
  #committed: Start;
  #lastExecution: Promise<unknown> = Promise.resolve();

  constructor(dependencies: ChainBlocksDependencies<Start, Executed>, committed: Start) {
    this.#dependencies = dependencies;
    this.#committed = committed;
  }

  /** The outcome of the newest committed block, or of the start record. */
  get committed(): Start {
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
    const decoded = await this.#dependencies.logic.decode(body, transactionHashes);
    if (!decoded.ok) return decoded;
    const transactions = decoded.value;
    return this.hold({ hash, hashHex: bytesToHex(hash), header, body: withBytesOf(transactions, body), transactions });
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
    const verdict = await this.#judge(held.block, parent, seedAfter(parent.seed, vrfOutput));
    if (!verdict.ok) return verdict;
    this.trust(hash, parent.seed, vrfOutput);
    return accept(vrfOutput);
  }

  /** Whether the voting rules let this node vote for a block that was just validated. Carriers are exempt. */
  mayVoteFor(hash: Bytes32): boolean {
    const { block } = this.#require(hash);
    return isCarrier(block.header) || this.#dependencies.logic.mayVoteFor(block);
  }

  /** What a header says that its block is to the instance. */
  roleOf(header: BlockHeader): BlockRole {
    return isCarrier(header) ? 'carrier' : this.roleOnChain(header);
  }

  /** The same of what is no carrier, from what its content says. */
  roleOnChain(content: Pick<BlockHeader, 'height' | 'beaconReference'>): BlockRole {
    return this.#dependencies.logic.isClosing(content) ? 'closing' : 'ordinary';
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
  outcomeOf(hash: Bytes32): Promise<Start> {
    const hashHex = bytesToHex(hash);
    if (hashHex === bytesToHex(this.#committed.hash)) return Promise.resolve(this.#committed);
    return this.executedOutcomeOf(hash);
  }

  /** As `outcomeOf`, of a block above the committed one. */
  executedOutcomeOf(hash: Bytes32): Promise<Executed> {
    const held = this.#require(hash);
    held.outcome ??= this.#executeInTurn(held);
    return held.outcome;
  }

  /** The held block became the committed one: its rows are on disk. Whatever else is held of its height or below is void. */
  adopt(outcome: Executed): void {
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

  #require(hash: Bytes32): HeldBlock<Executed> {
    const held = this.#held.get(bytesToHex(hash));
    if (held === undefined) throw new CoppiceError('chain-blocks/not-held', { hash: bytesToHex(hash) });
    return held;
  }

  // An instance's EVM takes one item at a time, so its blocks queue up; a parent is always ahead of its child.
  async #executeInTurn(held: HeldBlock<Executed>): Promise<Executed> {
    const parent = this.outcomeOf(held.block.header.parentHash);
    const turn = Promise.allSettled([this.#lastExecution, parent]);
    const execution = turn.then(async () => this.#execute(held, await parent));
    this.#lastExecution = execution.catch(() => undefined);
    return execution;
  }

  #execute({ block, seed }: HeldBlock<Executed>, parent: Start): Promise<Executed> {
    invariant(seed !== undefined, 'only valid blocks are executed');
    // A carrier executes nothing: what is built on it is built on what the closing block came to.
    if (isCarrier(block.header)) return Promise.resolve({ ...(parent as Executed), hash: block.hash, seed });
    return this.#dependencies.logic.execute(this.#taskOf(block, parent, seed));
  }

  async #judge(block: DecodedBlock, parent: Start, seed: Bytes32): Promise<Verdict<undefined, BlockFault>> {
    if (!isCarrier(block.header)) return this.#dependencies.logic.validate(this.#taskOf(block, parent, seed));
    const below = this.get(block.header.parentHash);
    invariant(below !== undefined, 'a closing block that is committed ends the instance, and nothing is validated any more');
    return checkCarrierContent(block, below.header);
  }

  #taskOf(block: DecodedBlock, parent: Start, seed: Bytes32): BlockToExecute<Start> {
    return { block, parent, seed, ancestorHash: (height) => this.#ancestorHash(parent, height) };
  }

  /** Hash of the committed block at a height. */
  ancestorHashOf(height: Height): Bytes32 | undefined {
    return this.#dependencies.committedHash(height);
  }

  #ancestorHash(from: Start, wanted: Height): Bytes32 | undefined {
    let hash = from.hash;
    for (let held = this.#held.get(bytesToHex(hash)); held !== undefined; held = this.#held.get(bytesToHex(hash))) {
      if (held.block.header.height === wanted) return hash;
      hash = held.block.header.parentHash;
    }
    return this.#dependencies.committedHash(wanted);
  }
}

// Most transactions of a block were here before it, and stay with their bytes: its own copies need not be kept beside them.
function withBytesOf(transactions: readonly Transaction[], body: BlockBody): BlockBody {
  return transactions.length === body.transactions.length ? { ...body, transactions: transactions.map(({ raw }) => raw) } : body;
}
