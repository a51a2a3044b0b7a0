// Composes one chain of a node: blocks, commits, payloads, consensus, gossip and catching up, by chain and instance from the start,
// so that a node can run several side by side.
import { timeoutCertificateOf } from '../core/consensus/certificates.ts';
import { SigningRecord as SigningRecordType } from '../core/consensus/record.ts';
import type { ConsensusParameters } from '../core/consensus/state.ts';
import { invariant } from '../core/primitives/errors.ts';
import type { Height, ValidatorIndex } from '../core/primitives/ids.ts';
import { Block, BlockCertificates, type CertifiedBlock } from '../core/protocol/certified-block.ts';
import type { Instance } from '../core/protocol/committee.ts';
import type { NetworkParameters } from '../core/protocol/parameters.ts';
import { decodeCanonical, storedValue } from '../core/protocol/ssz.ts';
import { topicName } from '../network/topics.ts';
import { ChainBlocks } from '../runtime/chain-blocks.ts';
import type { ChainLogic, CommitRows, Outcome } from '../runtime/chain-logic.ts';
import { ChainRunner } from '../runtime/chain-runner.ts';
import { CommitWriter } from '../runtime/commit-writer.ts';
import { EvidenceKeeper, type KeptEvidence } from '../runtime/evidence-keeper.ts';
import { EvidenceWatch } from '../runtime/evidence-watch.ts';
import { GossipOutbox } from '../runtime/gossip-outbox.ts';
import { CERTIFICATES_PROTOCOL, type InstanceSwitch } from '../runtime/instance-switch.ts';
import { MessageIntake } from '../runtime/message-intake.ts';
import { PayloadMaker, type PayloadSource } from '../runtime/payload-maker.ts';
import { PendingBlocks } from '../runtime/pending-blocks.ts';
import { createSigner, type ValidatorSecrets } from '../runtime/signer.ts';
import type { VerifiedClaims } from '../runtime/verified-claims.ts';
import type { SigningRecord } from '../storage/signing-record.ts';
import type { BlockServerSource } from '../sync/block-server.ts';
import { CatchUp, type CatchUpDependencies } from '../sync/catch-up.ts';
import { carrierOf } from '../sync/ended-instances.ts';
import { ForkInquiry } from '../sync/fork-inquiry.ts';
import type { NodePorts } from './create-node.ts';
import type { LoadedInstance } from './load-instance.ts';
import type { NodeStores } from './node-stores.ts';

const SEND_TIMEOUT_MS = 5_000;
/** Weight of a block that its proposer signed and no honest validator would have. */
const BAD_BLOCK_WEIGHT = 20;

/** What composing a chain takes beside the node's ports. */
export interface CreateChainOptions<Start extends Outcome, Executed extends Start>
  extends NodePorts,
    Pick<NodeStores, 'blockStore' | 'evidenceStore'> {
  /** Of consensus: the beacon has a pace of its own. */
  readonly parameters: ConsensusParameters & Pick<NetworkParameters, 'clockToleranceMs'>;
  readonly loaded: LoadedInstance<Start>;
  readonly self: ValidatorIndex | undefined;
  readonly secrets: ValidatorSecrets | undefined;
  readonly logic: ChainLogic<Start, Executed>;
  readonly rows: CommitRows<Executed>;
  /** What goes into blocks, and when: on these. */
  readonly payloadsOn: (blocks: ChainBlocks<Start, Executed>) => PayloadSource<Start>;
  readonly signingRecord: SigningRecord;
  /** Whether a block is known to be of the losing branch of a fork. */
  readonly isLosing: CatchUpDependencies['isLosing'];
  /** Of all chains of the node: the beacon's blocks carry certificates of shards. */
  readonly claims: VerifiedClaims;
  /** Where the chain hears its messages. */
  readonly instances: InstanceSwitch;
  /** Told of what is newly proved against validators of the instance. */
  readonly onEvidence: (instance: Instance, kept: KeptEvidence) => void;
  readonly onFault: (fault: unknown) => void;
}

/** One chain of a node, in one instance. */
export interface Chain<Start extends Outcome = Outcome, Executed extends Start = Start> {
  readonly instance: Instance;
  readonly blocks: ChainBlocks<Start, Executed>;
  readonly commits: CommitWriter<Start, Executed>;
  readonly runner: ChainRunner;
  readonly catchUp: CatchUp;
  /** What was proved against validators. */
  readonly evidence: EvidenceKeeper;
  /** What other nodes may read of it. */
  readonly blockSource: BlockServerSource;
  stop(): Promise<void>;
}

/** See the file's head. */
export async function createChain<Start extends Outcome, Executed extends Start>(
  options: CreateChainOptions<Start, Executed>,
): Promise<Chain<Start, Executed>> {
  const { loaded, parameters, network, clock, logger, metrics, bls, claims, blockStore, secrets, onFault } = options;
  const { instance } = loaded;
  const committedHash = (height: Height): Uint8Array | undefined => hashAt(options, height);
  const blocks = new ChainBlocks({ logic: options.logic, vrf: options.vrf, committedHash }, loaded.committed);
  await restorePending(blocks, loaded);
  const pending = new PendingBlocks(loaded.pendingPlaces);
  const commits = new CommitWriter({ ...options, instance, blocks, pending });
  const signer = secrets === undefined ? undefined : createSigner(options, secrets, instance);
  const payloads = signer === undefined ? undefined : new PayloadMaker({ blocks, source: options.payloadsOn(blocks), signer, clock });
  const topic = topicName(instance.genesisRoot, instance.chain, 'consensus');
  const outbox = new GossipOutbox(network.pubSub, topic, {
    onFault: (fault) => logger.warn({ chain: instance.chain, error: String(fault) }, 'not published'),
    onSilence: () => metrics.count('coppice_gossip_unheard_total', { chain: String(instance.chain) }),
  });
  const evidence = await EvidenceKeeper.open({
    ...options,
    instance,
    topic: topicName(instance.genesisRoot, instance.chain, 'evidence'),
    claims,
  });
  const intake: MessageIntake = new MessageIntake({
    ...options,
    instance,
    blocks,
    claims,
    watch: new EvidenceWatch({ instance, claims, keeper: evidence, onFault }),
    post: (event) => runner.post(event),
    state: () => runner.state,
  });
  const forkInquiry = new ForkInquiry({
    ...options,
    instance,
    readCommitted: (height, count) => readCommitted(options, height, count),
    committedHeight: () => blocks.committed.facts.height,
    committedHash: (height) => hashAt(options, height),
    report: (found) => evidence.report(found),
  });
  const catchUp: CatchUp = new CatchUp({
    ...options,
    instanceId: instance.instanceId,
    members: new Set(instance.committee.members.flatMap(({ validator }) => options.validatorPeers[validator] ?? [])),
    blocks,
    post: (event) => runner.post(event),
    onFork: () => forkInquiry.suspect(),
    judgeCertificates: (certificates, hash, height) => intake.judgeCommitted(certificates, hash, height),
  });
  const runner: ChainRunner = new ChainRunner({
    start: { instance, parameters, self: options.self, record: readRecord(options.signingRecord), ...loaded.engineStart },
    blocks,
    commits,
    signer,
    payloads,
    signingRecord: options.signingRecord,
    store: options.store,
    blockStore,
    pending,
    clock,
    clockToleranceMs: parameters.clockToleranceMs,
    logger,
    metrics,
    aggregateTimeouts: ({ timeouts }) => {
      const signature = bls.aggregate(timeouts.map((timeout) => timeout.signature));
      invariant(signature !== undefined, 'verified signatures add up');
      return { kind: 'timeout-certificate-received', certificate: timeoutCertificateOf(instance.committee, timeouts, signature) };
    },
    broadcast: (message) => outbox.send(message),
    sendTo: (peer, message) => {
      network.request
        .request(peer, CERTIFICATES_PROTOCOL, message, { timeoutMs: SEND_TIMEOUT_MS, responseBytesMax: 0 })
        .catch((error: unknown) => logger.debug({ peer, error: String(error) }, 'certificates not delivered'));
    },
    countOwnVote: (message) => intake.countOwn(message),
    blame: (validator, reason) => {
      const peer = options.validatorPeers[validator];
      if (peer !== undefined) network.peers.misbehaved(peer, reason, BAD_BLOCK_WEIGHT);
    },
    onFork: () => forkInquiry.suspect(),
    onRoundEntered: () => intake.enterRound(),
    // What is wanted at a height where we have committed is part of a chain that leaves ours below.
    requestBlock: (request) => (request.height <= blocks.committed.facts.height ? forkInquiry.suspect() : catchUp.request(request)),
    onFault,
  });
  options.instances.attach(instance, intake, (message) => evidence.receive(message));
  evidence.start();
  return {
    instance,
    blocks,
    commits,
    runner,
    catchUp,
    evidence,
    blockSource: blockSourceOf(options, blocks, () => runner.state.round),
    stop: async () => {
      catchUp.stop();
      forkInquiry.stop();
      options.instances.detach(instance.instanceId);
      evidence.stop();
      await runner.stop();
    },
  };
}

/** Where committed blocks are found. */
type Stored = Pick<CreateChainOptions<Outcome, Outcome>, 'blockStore' | 'loaded'>;

async function restorePending(blocks: ChainBlocks, { pending, engineStart }: LoadedInstance): Promise<void> {
  for (const [index, { header, body }] of pending.entries()) {
    const stored = engineStart.storedBlocks[index];
    invariant(stored !== undefined, 'each pending block has its place in the start');
    const added = await blocks.add(stored.hash, header, body);
    invariant(added.ok, 'a stored block decodes');
    blocks.restore(stored.hash, stored.vrfOutput);
  }
}

function readRecord(signingRecord: SigningRecord): ReturnType<typeof SigningRecordType.defaultValue> | undefined {
  const content = signingRecord.read();
  if (content === undefined) return undefined;
  const record = decodeCanonical(SigningRecordType, content);
  invariant(record.ok, 'the signing record decodes: a validator without it must not sign');
  return record.value;
}

function hashAt({ blockStore, loaded }: Stored, height: Height): Uint8Array | undefined {
  const { chain, instanceId, startRecord, startRecordRoot } = loaded.instance;
  if (height === startRecord.height) return startRecordRoot;
  return blockStore.getByHeight({ chain, instanceId, height })?.hash;
}

async function readCommitted({ blockStore, loaded }: Stored, height: Height, count: number): Promise<readonly CertifiedBlock[]> {
  const { chain, instanceId } = loaded.instance;
  const stored = await blockStore.readRange({ chain, instanceId, height }, count);
  return stored.map(({ block, certificates }) => ({
    block: storedValue(Block, block),
    certificates: storedValue(BlockCertificates, certificates),
  }));
}

function blockSourceOf({ blockStore, loaded }: Stored, blocks: ChainBlocks, round: () => number): BlockServerSource {
  const { chain, instanceId } = loaded.instance;
  return {
    chain,
    instanceId,
    status: () => ({
      instanceId,
      committedHeight: blocks.committed.facts.height,
      committedHash: blocks.committed.hash,
      round: round(),
    }),
    readRange: (fromHeight, count) => blockStore.readRange({ chain, instanceId, height: fromHeight }, count),
    readByHash: (hash) => {
      const held = blocks.get(hash);
      if (held !== undefined) return Block.serialize({ header: held.header, body: held.body });
      return blockStore.getByHash(hash)?.block ?? carrierOf(blockStore, instanceId, hash);
    },
  };
}
