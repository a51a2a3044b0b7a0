// A chain whose four validators are all in the test's hand: real keys, real state in memory, real execution. Tests make valid blocks and
// certificates with it, and then make them wrong.
import { ed25519 } from '@noble/curves/ed25519.js';
import { genesisBeaconState } from '../../src/core/beacon/genesis-state.ts';
import { firstBeaconRecord } from '../../src/core/beacon/instance.ts';
import type { BeaconState } from '../../src/core/beacon/state.ts';
import { certificateOf, timeoutCertificateOf } from '../../src/core/consensus/certificates.ts';
import { type ChainPoint, leaderOf, pointAfter, vrfAlphaOf } from '../../src/core/consensus/leader.ts';
import { sha256 } from '../../src/core/crypto/sha256.ts';
import { deriveValidatorKeys } from '../../src/core/crypto/validator-keys.ts';
import { vrfPublicKeyOf } from '../../src/core/crypto/vrf.ts';
import { createOwnLoopExecutor } from '../../src/core/execution/evm/own-loop-executor.ts';
import { ROOT_SHARD } from '../../src/core/primitives/ids.ts';
import { type BlockHeader, blockHashOf } from '../../src/core/protocol/block.ts';
import type { BlockPoint, QuorumCertificate, TimeoutCertificate } from '../../src/core/protocol/certificate.ts';
import { type Instance, StartRecord } from '../../src/core/protocol/committee.ts';
import { type Genesis, possessionSigningRoot } from '../../src/core/protocol/genesis.ts';
import type { Transaction } from '../../src/core/protocol/transaction.ts';
import type { Proposal, Timeout, Vote } from '../../src/core/protocol/vote.ts';
import { makeShardInstance } from '../../src/core/shard/beacon-view.ts';
import { buildShardBlock } from '../../src/core/shard/build-shard-block.ts';
import { createStateDatabase } from '../../src/core/state/state-database.ts';
import type { StateDatabase } from '../../src/core/state/state-version.ts';
import { readPreset } from '../../src/node/genesis-file.ts';
import { instancesOfGenesis } from '../../src/node/genesis-instances.ts';
import { writeGenesisShards } from '../../src/node/genesis-shards.ts';
import type { NodeStores } from '../../src/node/node-stores.ts';
import { BeaconWindow } from '../../src/runtime/beacon-window.ts';
import { BundleShelf } from '../../src/runtime/bundle-shelf.ts';
import { ChainBlocks } from '../../src/runtime/chain-blocks.ts';
import type { CommitRows } from '../../src/runtime/chain-logic.ts';
import { selectCrypto } from '../../src/runtime/native/select-crypto.ts';
import type { BlockContent } from '../../src/runtime/payload-maker.ts';
import { createShardBlockCommits } from '../../src/runtime/shard-block-commits.ts';
import {
  createShardBlockLogic,
  type ExecutedShardBlockOutcome,
  type ShardBlockOutcome,
  shardStartOutcome,
} from '../../src/runtime/shard-block-logic.ts';
import { createSignatureVerifier, type SignatureVerifier } from '../../src/runtime/signature-verifier.ts';
import { createSigner, type Signer } from '../../src/runtime/signer.ts';
import { TransactionDirectory } from '../../src/runtime/transaction-directory.ts';
import { createBeaconStore } from '../../src/storage/beacon-store.ts';
import { createBlockStore } from '../../src/storage/block-store.ts';
import { createMemoryStore, type MemoryStore } from '../../src/storage/memory-store.ts';
import { createShardStore } from '../../src/storage/shard-store.ts';
import { nothingOnDisk } from './nothing-on-disk.ts';

export const START_MS = 1_700_000_000_000;
export const VALIDATORS = 4;
export const crypto = selectCrypto({ disableNative: false });
const { bls } = crypto;

/** A block with what a child of it needs. */
export interface MadeBlock {
  readonly proposal: Proposal;
  readonly hash: Uint8Array;
  readonly point: ChainPoint;
}

/** The rows of its one database. */
export type SignedChainStores = Pick<NodeStores, 'blockStore' | 'beaconStore' | 'shardStore'> & { readonly store: MemoryStore };

/** See the file's head. */
export interface SignedChain {
  readonly genesis: Genesis;
  readonly instance: Instance;
  readonly signers: readonly Signer[];
  readonly blocks: ChainBlocks<ShardBlockOutcome, ExecutedShardBlockOutcome>;
  readonly directory: TransactionDirectory;
  readonly verifier: SignatureVerifier;
  readonly store: MemoryStore;
  readonly stores: SignedChainStores;
  readonly states: StateDatabase;
  /** Onto the genesis of the beacon, until a test lets it go on. */
  readonly window: BeaconWindow;
  readonly beaconState: BeaconState;
  /** What a committed block writes beside itself; blocks are told as they are written. */
  readonly rows: (onCommitted: (outcome: ExecutedShardBlockOutcome) => void) => CommitRows<ExecutedShardBlockOutcome>;
  readonly start: ChainPoint;
  /** What a leader puts in a block. */
  contentOn(parent: ShardBlockOutcome, transactions: readonly Transaction[], nowMs: number): BlockContent;
  /** A block of the right leader on a parent that is validated in `blocks`; held and validated there itself. */
  extend(parent: ChainPoint, options: ExtendOptions): Promise<MadeBlock>;
}

/** What differs from a block without transactions right after its parent. */
export interface ExtendOptions {
  readonly round: number;
  readonly justify?: QuorumCertificate;
  readonly timeoutCertificate?: TimeoutCertificate;
  readonly transactions?: readonly Transaction[];
}

/** Makes the chain; `funded` have a hundred ether each. */
export async function createSignedChain(funded: readonly Uint8Array[] = []): Promise<SignedChain> {
  const keys = Array.from({ length: VALIDATORS }, (_unused, index) => deriveValidatorKeys(sha256(Uint8Array.of(index))));
  const genesis: Genesis = {
    parameters: readPreset('devnet'),
    accounts: funded.map((address) => ({ address, nonce: 0n, balanceWei: 10n ** 20n, code: new Uint8Array(0), storage: [] })),
    timestampMs: START_MS,
    seed: sha256(Uint8Array.of(9)),
    layout: [1],
    validators: keys.map(({ blsSecretKey, vrfSeed, peerSeed }) => {
      const identity = {
        blsPublicKey: bls.publicKeyOf(blsSecretKey),
        vrfPublicKey: vrfPublicKeyOf(vrfSeed),
        peerKey: ed25519.getPublicKey(peerSeed),
        rewardAddress: new Uint8Array(20),
      };
      return { ...identity, seats: 1, proofOfPossession: bls.sign(blsSecretKey, possessionSigningRoot(identity)) };
    }),
  };
  const store = createMemoryStore();
  const { parameters } = genesis;
  const beaconStore = createBeaconStore(store);
  const stores = { store, beaconStore, blockStore: createBlockStore(store), shardStore: createShardStore(store) };
  const roots = await writeGenesisShards(genesis, store);
  const beaconState = genesisBeaconState(genesis, (shard) => roots.get(shard) as Uint8Array);
  const [, instance] = await instancesOfGenesis(genesis);
  if (instance === undefined) throw new Error('a genesis starts its shard');
  const beaconRecord = firstBeaconRecord(beaconState);
  const point = { hash: StartRecord.hashTreeRoot(beaconRecord), timestampMs: START_MS, seed: beaconRecord.seed };
  await store.write(beaconStore.putPoint(0, point), { sync: true });
  const window = await BeaconWindow.open({ parameters, beaconStore }, beaconState);
  const states = createStateDatabase(store, ROOT_SHARD);
  const shardInstance = makeShardInstance(instance.startRecord, new Set([ROOT_SHARD]), []);
  const committed = shardStartOutcome(shardInstance, states.committed());
  const signers = keys.map((secrets, validator) => createSigner(crypto, { validator, ...secrets }, instance));
  const verifier = createSignatureVerifier({ workerCount: 0, disableNative: false });
  const directory = new TransactionDirectory(verifier, parameters.evmChainId);
  const evm = createOwnLoopExecutor(parameters.evmChainId);
  const committedHash = (): undefined => undefined;
  const held = () => new Map();
  const logic = createShardBlockLogic({ instance: shardInstance, parameters, states, directory, evm, window, held, pause: undefined });
  const blocks = new ChainBlocks<ShardBlockOutcome, ExecutedShardBlockOutcome>({ logic, vrf: crypto.vrf, committedHash }, committed);
  const contentOn: SignedChain['contentOn'] = (parent, transactions, nowMs) => {
    const view = window.viewAt(0);
    if (view === undefined) throw new Error('genesis can be referred to');
    const {
      body,
      transactions: taken,
      ...fields
    } = buildShardBlock({
      instance: shardInstance,
      parent: parent.asParent,
      parentExecution: parent.commitment,
      parentState: parent.version,
      view,
      parameters,
      held: new Map(),
      transactions,
      pointerProofOf: () => undefined,
      nowMs,
    });
    return { fields, body, transactions: taken };
  };
  const { height, seed } = instance.startRecord;
  const start: ChainPoint = { hash: instance.startRecordRoot, height, round: 0, seed, anchors: [] };
  return {
    genesis,
    instance,
    signers,
    blocks,
    directory,
    verifier,
    store,
    stores,
    states,
    window,
    beaconState,
    rows: (onCommitted) =>
      createShardBlockCommits({
        ...stores,
        shard: ROOT_SHARD,
        states,
        shelf: new BundleShelf(nothingOnDisk),
        window,
        rowsOf: () => [],
        onCommitted,
      }),
    start,
    contentOn,
    extend: async (parent, { round, justify, timeoutCertificate, transactions = [] }) => {
      const proposer = leaderOf(instance, parent, round);
      const signer = signers[proposer] as Signer;
      const outcome = await blocks.outcomeOf(parent.hash);
      const { proof, output } = signer.proveLeader(vrfAlphaOf(instance, parent.seed, round));
      const { fields, body } = contentOn(outcome, transactions, outcome.facts.timestampMs + 100);
      const header: BlockHeader = {
        ...fields,
        instanceId: instance.instanceId,
        height: parent.height + 1,
        round,
        parentHash: parent.hash,
        justify: justify === undefined ? [] : [justify],
        timeoutCertificate: timeoutCertificate === undefined ? [] : [timeoutCertificate],
        proposer,
        vrfProof: proof,
      };
      const hash = blockHashOf(header);
      const added = await blocks.add(hash, header, body);
      if (!added.ok) throw new Error(added.reason);
      const member = instance.committee.members[proposer];
      const valid = await blocks.validate(hash, member?.vrfPublicKey ?? hash, vrfAlphaOf(instance, parent.seed, round));
      if (!valid.ok) throw new Error(valid.reason);
      const point = pointAfter(parent, { hash, height: header.height, round }, output, parameters.leaderWindow);
      return { proposal: { header, body, signature: signer.signProposal(hash) }, hash, point };
    },
  };
}

/** The point that votes for a block sign. */
export function pointOf({ point: { hash, height, round } }: MadeBlock): BlockPoint {
  return { height, round, blockHash: hash };
}

/** A QC or CC of these validators. */
export function certify(
  chain: SignedChain,
  point: BlockPoint,
  kind: 'vote' | 'commit-vote' = 'vote',
  by = [0, 1, 2, 3],
): QuorumCertificate {
  const signatures = by.map((index) => signatureOf(chain, index, kind, point));
  return certificateOf(chain.instance.committee, point, by, bls.aggregate(signatures) as Uint8Array);
}

/** A vote, or commit vote, of a validator. */
export function voteOf(chain: SignedChain, index: number, kind: 'vote' | 'commit-vote', point: BlockPoint): Vote {
  return { instanceId: chain.instance.instanceId, point, validator: index, signature: signatureOf(chain, index, kind, point) };
}

/** A timeout of a validator. */
export function timeoutOf(chain: SignedChain, index: number, round: number, highest: QuorumCertificate | undefined): Timeout {
  const signature = signerOf(chain, index).signTimeout(round, highest?.point.round ?? 0);
  return {
    instanceId: chain.instance.instanceId,
    round,
    highestQuorumCertificate: highest === undefined ? [] : [highest],
    validator: index,
    signature,
  };
}

/** A TC of all validators who report the same QC. */
export function giveUp(chain: SignedChain, round: number, highest: QuorumCertificate | undefined): TimeoutCertificate {
  const timeouts = [0, 1, 2, 3].map((index) => timeoutOf(chain, index, round, highest));
  return timeoutCertificateOf(chain.instance.committee, timeouts, bls.aggregate(timeouts.map(({ signature }) => signature)) as Uint8Array);
}

function signatureOf(chain: SignedChain, index: number, kind: 'vote' | 'commit-vote', point: BlockPoint): Uint8Array {
  const signer = signerOf(chain, index);
  return kind === 'vote' ? signer.signVote(point) : signer.signCommitVote(point);
}

function signerOf({ signers }: SignedChain, index: number): Signer {
  return signers[index] as Signer;
}
