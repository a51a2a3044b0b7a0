// Replays a trace of the formal model against the engine: each action of the model is one event of `step`, with the answers that a
// shell gives at once, and after it the engine must remember, sign and commit exactly what the model does. Signatures mean nothing here:
// the engine sees only what was verified before.
import assert from 'node:assert/strict';
import type { BlockRole } from '../../src/core/consensus/block-role.ts';
import type { Effect } from '../../src/core/consensus/effects.ts';
import type { ConsensusEvent } from '../../src/core/consensus/events.ts';
import { leaderOf } from '../../src/core/consensus/leader.ts';
import type { ConsensusState, StartingPoint, StoredBlock } from '../../src/core/consensus/state.ts';
import { startPoint } from '../../src/core/consensus/state.ts';
import { sha256 } from '../../src/core/crypto/sha256.ts';
import { bytesToHex, uint64ToBytes } from '../../src/core/primitives/bytes.ts';
import { type BlockHeader, blockHashOf } from '../../src/core/protocol/block.ts';
import type { QuorumCertificate, TimeoutCertificate } from '../../src/core/protocol/certificate.ts';
import type { Instance } from '../../src/core/protocol/committee.ts';
import type { Timeout } from '../../src/core/protocol/vote.ts';
import { instanceOf, keylessCommittee, PARAMETERS, payloadFor } from '../core/consensus/values.ts';
import { certificateIn, EMPTY_RECORD, ids, type Output, outputIn, type recordIn, sorted, stateIn, tcIn } from './model-comparison.ts';
import type { ModelAction, ModelBlock, ModelCertificate, ModelState, ModelTimeout, ModelTimeoutCertificate } from './model-trace.ts';

/** The part of src/core/consensus under test: as it is, or a mutated copy. */
export interface Engine {
  readonly step: typeof import('../../src/core/consensus/engine.ts').step;
  readonly initialState: typeof import('../../src/core/consensus/state.ts').initialState;
  readonly checkHeader: typeof import('../../src/core/consensus/header-rules.ts').checkHeader;
  readonly certificateOf: typeof import('../../src/core/consensus/certificates.ts').certificateOf;
  readonly timeoutCertificateOf: typeof import('../../src/core/consensus/certificates.ts').timeoutCertificateOf;
}

const MEMBERS = 4;
const EPOCHS_MAX = 20_000;
const SIGNATURE = new Uint8Array(96).fill(1);
const COMMITTEE = keylessCommittee(Array.from({ length: MEMBERS }, () => 1));
const validatorOf = (member: number): number => (COMMITTEE.members[member] as (typeof COMMITTEE.members)[number]).validator;
const memberOf = (validator: number): number => COMMITTEE.members.findIndex((member) => member.validator === validator);

interface RealBlock {
  readonly hash: Uint8Array;
  readonly header: BlockHeader;
}

interface RealNode {
  state: ConsensusState;
  record: StartingPoint['record'];
  committed: StartingPoint['committed'];
  readonly stored: Map<string, StoredBlock>;
}

/** Replays the trace; throws where engine and model part. */
export function replay(engine: Engine, trace: readonly ModelState[]): void {
  const [first, ...rest] = trace;
  assert.ok(first !== undefined, 'a trace has states');
  const replayed = new Replay(engine, instanceFor(rest.at(-1) ?? first), first);
  for (const [index, state] of rest.entries()) replayed.follow(index + 1, state);
}

// On a chain shorter than the leader window the leader depends on the instance and the round alone: an epoch is searched whose draw
// gives the leaders of the trace.
function instanceFor({ leaders }: ModelState): Instance {
  for (let epoch = 1; epoch <= EPOCHS_MAX; epoch++) {
    const instance = instanceOf(COMMITTEE, epoch, 0);
    const start = startPoint(instance);
    if (leaders.every(([[round], leader]) => leaderOf(instance, start, round) === validatorOf(leader))) return instance;
  }
  throw new Error(`no epoch up to ${EPOCHS_MAX} draws the leaders ${JSON.stringify(leaders)}`);
}

class Replay {
  readonly #engine: Engine;
  readonly #instance: Instance;
  readonly #nodes = new Map<number, RealNode>();
  readonly #blocks = new Map<number, RealBlock>();
  readonly #idOf = new Map<string, number>();
  #model: ModelState;

  constructor(engine: Engine, instance: Instance, first: ModelState) {
    this.#engine = engine;
    this.#instance = instance;
    this.#model = first;
    this.#idOf.set(bytesToHex(instance.startRecordRoot), 0);
    for (const [member] of first.nodes) {
      const node: RealNode = { state: this.#initialState(member), record: undefined, committed: undefined, stored: new Map() };
      this.#nodes.set(member, node);
      this.#run(node, member, { kind: 'started' });
    }
  }

  /** Does what the model did, and compares. */
  follow(index: number, after: ModelState): void {
    this.#model = after;
    const { name, node: member, block } = after.last;
    const where = `after action ${index}, ${name} of validator ${member}`;
    if (name === 'propose-byzantine') {
      this.#addBlock(block, this.#headerOf(block, after.blocks[block] as ModelBlock));
      return;
    }
    const node = this.#nodes.get(member);
    const expected = after.nodes.find(([at]) => at === member)?.[1];
    assert.ok(node !== undefined && expected !== undefined, `${where}: no such honest validator`);
    const said = this.#act(node, after.last);
    assert.deepEqual(this.#stateOf(node), stateIn(expected), where);
    assert.deepEqual(sorted(said), outputIn(expected, name === 'propose' ? [block] : []), where);
  }

  #act(node: RealNode, action: ModelAction): Output {
    const { name, node: member, block } = action;
    const none: Output = { votes: [], commitVotes: [], timeouts: [], commits: [], proposals: [], persisted: false };
    switch (name) {
      case 'receive-qc':
        return this.#run(node, member, { kind: 'quorum-certificate-received', certificate: this.#certificate(action.certificate) });
      case 'receive-cc':
      case 'form-cc':
        return this.#run(node, member, {
          kind: 'commit-certificate-received',
          certificate: this.#certificate(action.certificate),
          quorumCertificate: action.qc.block === 0 ? undefined : this.#certificate(action.qc),
        });
      case 'receive-tc':
        return this.#run(node, member, { kind: 'timeout-certificate-received', certificate: this.#timeoutCertificate(action.tc) });
      case 'receive-timeout':
        return this.#run(node, member, { kind: 'timeout-received', timeout: this.#timeout(action.timeout), from: 'peer' });
      case 'receive-proposal': {
        const { hash, header } = this.#block(block);
        // What is not valid on its face never reaches the engine.
        return this.#engine.checkHeader(this.#instance, header).ok
          ? this.#run(node, member, { kind: 'proposal-received', hash, header })
          : none;
      }
      case 'fetch':
        return this.#run(node, member, { kind: 'block-fetched', ...this.#block(block) });
      case 'validate':
        return this.#run(node, member, {
          kind: 'block-validated',
          isHeldBack: false,
          hash: this.#block(block).hash,
          vrfOutput: payloadFor(block).vrfOutput,
          role: this.#roleOf(block),
        });
      case 'give-up':
        return this.#run(node, member, { kind: 'timer-fired', timer: 'round', round: node.state.round });
      case 'speak-again':
        return this.#run(node, member, { kind: 'timer-fired', timer: 'resend', round: node.state.round });
      case 'propose': {
        const parentHash = this.#hashOf((this.#model.blocks[block] as ModelBlock).parent);
        const requested = node.state.requestedPayload;
        assert.deepEqual(requested, { round: node.state.round, parentHex: bytesToHex(parentHash) }, 'the leader asked for a payload');
        const { round } = node.state;
        return this.#run(node, member, { kind: 'payload-ready', parentHash, round, role: this.#roleOf(block), payload: payloadFor(block) });
      }
      case 'restart':
        node.state = this.#initialState(member, node);
        return this.#run(node, member, { kind: 'started' });
      default:
        throw new Error(`the replay knows no action ${name}`);
    }
  }

  // As the model has it: by height alone.
  #roleOf(id: number): BlockRole {
    const { height, parent } = this.#model.blocks[id] as ModelBlock;
    if (parent !== 0 && height === (this.#model.blocks[parent] as ModelBlock).height) return 'carrier';
    return height === this.#model.setup.closingHeight ? 'closing' : 'ordinary';
  }

  #initialState(member: number, node?: RealNode): ConsensusState {
    const storedBlocks = [...(node?.stored.values() ?? [])].sort((a, b) => a.header.round - b.header.round);
    return this.#engine.initialState({
      instance: this.#instance,
      parameters: PARAMETERS,
      self: validatorOf(member),
      record: node?.record,
      committed: node?.committed,
      closed: undefined,
      storedBlocks,
    });
  }

  // An event, then what the shell gives back at once: own timeouts, and TCs of timeouts that were added up.
  #run(node: RealNode, member: number, event: ConsensusEvent): Output {
    const output: Output = { votes: [], commitVotes: [], timeouts: [], commits: [], proposals: [], persisted: false };
    const queue = [event];
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const { state, effects } = this.#engine.step(node.state, next);
      node.state = state;
      for (const effect of effects) queue.push(...this.#carryOut(node, member, effect, output));
    }
    return output;
  }

  #carryOut(node: RealNode, member: number, effect: Effect, output: Output): readonly ConsensusEvent[] {
    switch (effect.kind) {
      case 'persist':
        node.record = effect.record;
        output.persisted = true;
        return [];
      case 'store-block':
        node.stored.set(bytesToHex(effect.hash), {
          ...effect,
          vrfOutput: payloadFor(this.#id(effect.hash)).vrfOutput,
          role: this.#roleOf(this.#id(effect.hash)),
        });
        return [];
      case 'sign-and-send-proposal':
        output.proposals.push(this.#model.last.block);
        this.#addBlock(this.#model.last.block, effect.header);
        return [];
      case 'sign-and-send-vote':
        output.votes.push(this.#id(effect.point.blockHash));
        return [];
      case 'sign-and-send-commit-vote':
        output.commitVotes.push(this.#id(effect.point.blockHash));
        return [];
      case 'sign-and-send-timeout': {
        const { round, highestQuorumCertificate: high } = effect;
        output.timeouts.push({ round, high: high === undefined ? 0 : this.#id(high.point.blockHash) });
        const timeout = this.#signedTimeout(validatorOf(member), round, high);
        return [{ kind: 'timeout-received', timeout, from: 'self' }];
      }
      case 'aggregate-timeouts': {
        const certificate = this.#engine.timeoutCertificateOf(COMMITTEE, effect.timeouts, SIGNATURE);
        return [{ kind: 'timeout-certificate-received', certificate }];
      }
      case 'commit':
        output.commits.push(this.#id(effect.hash));
        node.committed = { point: effect.point, proof: node.state.commitProof };
        node.stored.delete(bytesToHex(effect.hash));
        return [];
      case 'instance-closed':
        node.stored.clear();
        return [];
      case 'discard-blocks':
        for (const hash of effect.hashes) node.stored.delete(bytesToHex(hash));
        return [];
      case 'report':
        assert.ok(effect.report === 'conflicting-proposals' || effect.report === 'conflicting-commit', `reported: ${effect.report}`);
        return [];
      default:
        return [];
    }
  }

  #addBlock(id: number, header: BlockHeader): void {
    const hash = blockHashOf(header);
    this.#blocks.set(id, { hash, header });
    this.#idOf.set(bytesToHex(hash), id);
    const model = this.#model.blocks[id] as ModelBlock;
    const [justify] = header.justify;
    const [tc] = header.timeoutCertificate;
    const made = {
      round: header.round,
      height: header.height,
      parent: this.#id(header.parentHash),
      proposer: memberOf(header.proposer),
      justify: this.#certificateIn(justify),
      tc: this.#tcIn(tc),
    };
    const { round, height, parent, proposer } = model;
    const told = { round, height, parent, proposer, justify: certificateIn(model.justify), tc: tcIn(model.tc) };
    assert.deepEqual(made, told, `the header of block ${id}`);
  }

  #headerOf(id: number, model: ModelBlock): BlockHeader {
    const { vrfOutput: _notInTheHeader, ...content } = payloadFor(id);
    return {
      ...content,
      bodyRoot: sha256(uint64ToBytes(id)),
      instanceId: this.#instance.instanceId,
      height: model.height,
      round: model.round,
      parentHash: this.#hashOf(model.parent),
      justify: model.justify.block === 0 ? [] : [this.#certificate(model.justify)],
      timeoutCertificate: model.tc.round === 0 ? [] : [this.#timeoutCertificate(model.tc)],
      proposer: validatorOf(model.proposer),
    };
  }

  #block(id: number): RealBlock {
    const block = this.#blocks.get(id);
    assert.ok(block !== undefined, `the engine never made block ${id}`);
    return block;
  }

  #hashOf(id: number): Uint8Array {
    return id === 0 ? this.#instance.startRecordRoot : this.#block(id).hash;
  }

  // A block that an engine proposes is known by its hash only after the effect that tells it; its own vote comes with it.
  #id(hash: Uint8Array): number {
    return this.#idOf.get(bytesToHex(hash)) ?? this.#model.last.block;
  }

  #certificate({ block, signers }: ModelCertificate): QuorumCertificate {
    const { hash, header } = this.#block(block);
    const point = { height: header.height, round: header.round, blockHash: hash };
    return this.#engine.certificateOf(COMMITTEE, point, signers, SIGNATURE);
  }

  #timeout({ validator, round, high }: ModelTimeout): Timeout {
    return this.#signedTimeout(validatorOf(validator), round, high.block === 0 ? undefined : this.#certificate(high));
  }

  #signedTimeout(validator: number, round: number, high: QuorumCertificate | undefined): Timeout {
    const highestQuorumCertificate = high === undefined ? [] : [high];
    return { instanceId: this.#instance.instanceId, round, highestQuorumCertificate, validator, signature: SIGNATURE };
  }

  #timeoutCertificate({ round, reported, high }: ModelTimeoutCertificate): TimeoutCertificate {
    const inOrder = [...reported].sort(([a], [b]) => a - b);
    const bits = this.#engine.certificateOf(
      COMMITTEE,
      { height: 0, round, blockHash: this.#instance.startRecordRoot },
      inOrder.map(([member]) => member),
      SIGNATURE,
    );
    return {
      round,
      scheme: bits.scheme,
      signers: bits.signers,
      highestQuorumCertificateRounds: inOrder.map(([, reportedRound]) => reportedRound),
      highestQuorumCertificate: high.block === 0 ? [] : [this.#certificate(high)],
      signature: SIGNATURE,
    };
  }

  #certificateIn(certificate: QuorumCertificate | undefined): ReturnType<typeof certificateIn> {
    if (certificate === undefined) return { block: 0, signers: [] };
    return { block: this.#id(certificate.point.blockHash), signers: certificate.signers.getTrueBitIndexes() };
  }

  #tcIn(tc: TimeoutCertificate | undefined): ReturnType<typeof tcIn> {
    if (tc === undefined) return { round: 0, reported: [], high: { block: 0, signers: [] } };
    const members = tc.signers.getTrueBitIndexes();
    const reported = tc.highestQuorumCertificateRounds.map((round, index): [number, number] => [members[index] as number, round]);
    return { round: tc.round, reported, high: this.#certificateIn(tc.highestQuorumCertificate[0]) };
  }

  #stateOf({ state, record, stored }: RealNode): ReturnType<typeof stateIn> {
    const ofStatus = (status: string): number[] =>
      ids([...state.blocks.values()].filter((block) => block.status === status).map(({ hash }) => this.#id(hash)));
    const { pendingCommit, nearestCommit } = state;
    return {
      round: state.round,
      record: this.#recordIn(state.record),
      durable: record === undefined ? EMPTY_RECORD : this.#recordIn(record),
      committed: this.#id(state.committed.hash),
      pending: {
        block: pendingCommit === undefined ? 0 : this.#id(pendingCommit.commitCertificate.point.blockHash),
        hasQc: pendingCommit?.quorumCertificate !== undefined,
      },
      nearest: nearestCommit === undefined ? 0 : this.#id(nearestCommit.commitCertificate.point.blockHash),
      waiting: ofStatus('waiting'),
      opened: ofStatus('validating'),
      valid: ofStatus('valid'),
      certified: ids([...state.blocks.values()].filter(({ isCertified }) => isCertified).map(({ hash }) => this.#id(hash))),
      stored: ids([...stored.values()].map(({ hash }) => this.#id(hash))),
      timeouts: [...state.timeouts.values()]
        .map((timeout) => ({
          validator: memberOf(timeout.validator),
          round: timeout.round,
          high: this.#certificateIn(timeout.highestQuorumCertificate[0]).block,
        }))
        .sort((a, b) => a.validator - b.validator),
      aggregated: state.aggregatedRound,
    };
  }

  #recordIn(record: ConsensusState['record']): ReturnType<typeof recordIn> {
    return {
      lastVoted: record.lastVotedRound,
      lastCommitVoted: record.lastCommitVotedRound,
      lastProposed: record.lastProposedRound,
      lastTimeout: record.lastTimeoutRound,
      high: this.#certificateIn(record.highestQuorumCertificate[0]),
      tc: this.#tcIn(record.timeoutCertificate[0]),
    };
  }
}
