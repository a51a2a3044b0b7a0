// Fetches the state of a shard from peers that have it (protocol, section 8). One peer is asked until it fails, then the next goes on where it
// ended. What comes is written as it comes and counts for nothing until all of it has the expected root, so a lie costs time and no more.
//
// The rule upheld: nobody is blamed for what another gave. What is wrong in an answer by itself is its giver's (state-answer.ts); that leaves
// are missing or made up shows in the root alone, at the end. So after a wrong root of leaves of several peers, each is asked for all, alone.
import { invariant } from '../core/primitives/errors.ts';
import type { ChainId } from '../core/primitives/ids.ts';
import { refuse, type Verdict } from '../core/primitives/verdict.ts';
import type { RowOperation } from '../core/state/state-rows.ts';
import type { StateDatabase, StateVersion } from '../core/state/state-version.ts';
import { type Subtree, subtreeOf } from '../core/state/subtree.ts';
import type { Network, PeerName } from '../network/ports.ts';
import type { Clock, Logger } from '../runtime/ports.ts';
import { askPeer } from './ask-peer.ts';
import { readStateAnswer, type StateAnswerRead, type StateProgress } from './state-answer.ts';
import { encodeStateRequest, STATE_ANSWER_BYTES_MAX, STATE_PROTOCOL, type StateName } from './state-protocol.ts';
import type { StateFault, StateSource } from './state-source.ts';

/** A megabyte over a slow link. */
const REQUEST_TIMEOUT_MS = 10_000;
/** Before the next question when the last one brought nothing, times such questions in a row. */
const RETRY_DELAY_MS = 250;
const RETRY_DELAY_MS_MAX = 5_000;
/** Questions in a row that bring nothing before it is given up; the second number, where one peer alone is asked. */
const FAILURES_MAX = 24;
const FAILURES_ALONE_MAX = 6;
/** States taken in for one fetch that turn out to be others: each costs a liar its connection, but the first where several gave leaves. */
const ATTEMPTS_MAX = 16;
/** Bytes of one state, unless told otherwise: what a liar that makes up leaves for ever can fill of a disk. */
const STATE_BYTES_MAX = 64 * 1024 ** 3;
/** Weight of an answer that no honest peer gives, and of a whole state that is another one. */
const BAD_ANSWER_WEIGHT = 20;
const WRONG_STATE_WEIGHT = 50;

/** What fetching states needs of its node. */
export interface StateTransferDependencies {
  readonly network: Network;
  /** The database that the state goes into; empty. */
  readonly statesOf: (shard: ChainId) => Pick<StateDatabase, 'importVersion'>;
  readonly write: (operations: readonly RowOperation[]) => Promise<void>;
  /** Peers that should have a shard's state, the likeliest first; others that are connected are asked after them. */
  readonly peersOf: (shard: ChainId) => readonly PeerName[];
  readonly clock: Clock;
  readonly logger: Logger;
  readonly stateBytesMax?: number;
}

/** Of one fetch, over its attempts. */
interface Search {
  readonly expected: StateName;
  readonly subtree: Subtree;
  /** Peers that are asked no more: they do not have it, or gave what is wrong. */
  readonly passedOver: Set<PeerName>;
  readonly triedAlone: Set<PeerName>;
  isAlone: boolean;
  /** What stood in the way last. */
  obstacle: StateFault;
}

/** One run through all leaves. */
interface Attempt {
  /** The one peer that is asked; undefined: any. */
  readonly only: PeerName | undefined;
  readonly givers: Set<PeerName>;
  peer: PeerName | undefined;
  progress: StateProgress;
  bytes: number;
  failures: number;
  /** Why no more leaves come although there are more. */
  brokenOff: StateFault | undefined;
}

/** See the file's head. */
export class StateTransfer implements StateSource {
  readonly #dependencies: StateTransferDependencies;
  readonly #underWay = new Set<ChainId>();
  readonly #stop = new AbortController();

  constructor(dependencies: StateTransferDependencies) {
    this.#dependencies = dependencies;
  }

  /** Ends what is under way: each fetch gives `stopped`. */
  stop(): void {
    this.#stop.abort();
  }

  /** See `StateSource`. */
  async fetch(expected: StateName): Promise<Verdict<StateVersion, StateFault>> {
    invariant(!this.#underWay.has(expected.shard), 'one fetch of a shard at a time');
    this.#underWay.add(expected.shard);
    try {
      return await this.#fetch(expected);
    } finally {
      this.#underWay.delete(expected.shard);
    }
  }

  async #fetch(expected: StateName): Promise<Verdict<StateVersion, StateFault>> {
    const { statesOf, write, logger } = this.#dependencies;
    const { shard, height } = expected;
    const search = newSearch(expected);
    for (let tries = 0; tries < ATTEMPTS_MAX; tries++) {
      const only = search.isAlone ? this.#candidates(search, undefined).find((peer) => !search.triedAlone.has(peer)) : undefined;
      if (search.isAlone && only === undefined) break;
      if (only !== undefined) search.triedAlone.add(only);
      const attempt = newAttempt(only);
      const verdict = await statesOf(shard).importVersion(expected, this.#chunks(search, attempt), write);
      if (verdict.ok) return verdict;
      const { brokenOff, givers } = attempt;
      logger.info({ shard, height, reason: brokenOff ?? verdict.reason, peers: givers.size }, 'a state was not taken in');
      if (brokenOff === 'stopped') return refuse(brokenOff);
      if (brokenOff === undefined) this.#judgeWrong(search, attempt);
      else if (brokenOff === 'too-large') passOverGiver(search, attempt);
      else if (!search.isAlone) return refuse(brokenOff);
    }
    return refuse(search.obstacle);
  }

  // All leaves came, and they are not the state.
  #judgeWrong(search: Search, { givers }: Attempt): void {
    search.obstacle = 'wrong-state';
    const [only] = givers;
    if (givers.size === 1 && only !== undefined) this.#blame(search, only, 'wrong-state', WRONG_STATE_WEIGHT);
    else search.isAlone = true;
  }

  // The leaves as `importVersion` takes them in: as many in memory as one answer has.
  async *#chunks(search: Search, attempt: Attempt): AsyncGenerator<Uint8Array> {
    const { stateBytesMax = STATE_BYTES_MAX } = this.#dependencies;
    for (let isLast = false; !isLast; ) {
      const answer = await this.#nextAnswer(search, attempt);
      if (answer === undefined) return;
      for (const chunk of answer.chunks) {
        attempt.bytes += chunk.length;
        if (attempt.bytes > stateBytesMax) {
          breakOff(search, attempt, 'too-large');
          return;
        }
        yield chunk;
      }
      attempt.progress = answer.progress;
      isLast = answer.hasEnded;
    }
  }

  // The next leaves, from whoever gives them; undefined where the attempt is broken off.
  async #nextAnswer(search: Search, attempt: Attempt): Promise<Extract<StateAnswerRead, { kind: 'leaves' }> | undefined> {
    attempt.failures = 0;
    const failuresMax = attempt.only === undefined ? FAILURES_MAX : FAILURES_ALONE_MAX;
    while (!this.#stop.signal.aborted) {
      const isNobodyLeft = search.passedOver.size > 0 && this.#candidates(search, attempt.only).length === 0;
      if (isNobodyLeft || attempt.failures >= failuresMax) return breakOff(search, attempt, search.obstacle);
      const answer = await this.#askSomebody(search, attempt);
      if (answer !== undefined) return answer;
    }
    return breakOff(search, attempt, 'stopped');
  }

  async #askSomebody(search: Search, attempt: Attempt): Promise<Extract<StateAnswerRead, { kind: 'leaves' }> | undefined> {
    const { network, logger } = this.#dependencies;
    const candidates = this.#candidates(search, attempt.only);
    const peer = candidates.find((one) => one === attempt.peer) ?? candidates[attempt.failures % Math.max(1, candidates.length)];
    attempt.peer = peer;
    if (peer === undefined) return this.#fail(search, attempt);
    const question = encodeStateRequest(search.expected, attempt.progress.after);
    const limits = { timeoutMs: REQUEST_TIMEOUT_MS, responseBytesMax: STATE_ANSWER_BYTES_MAX, signal: this.#stop.signal };
    const frames = await askPeer(network, peer, STATE_PROTOCOL, question, limits);
    if (frames === undefined) return this.#fail(search, attempt);
    const read = readStateAnswer(frames, search.subtree, attempt.progress);
    if (!read.ok) {
      logger.debug({ peer, shard: search.expected.shard, reason: read.reason, detail: read.detail }, 'an answer with no part of a state');
      search.obstacle = 'wrong-state';
      this.#blame(search, peer, 'bad-state-answer', BAD_ANSWER_WEIGHT);
    } else if (read.value.kind === 'leaves') {
      attempt.givers.add(peer);
      return read.value;
    } else if (read.value.kind === 'busy') return this.#fail(search, attempt);
    else {
      search.obstacle = 'not-held';
      search.passedOver.add(peer);
    }
    return undefined;
  }

  async #fail(search: Search, attempt: Attempt): Promise<undefined> {
    search.obstacle = 'no-answer';
    attempt.peer = undefined;
    attempt.failures++;
    await this.#pause(Math.min(RETRY_DELAY_MS * attempt.failures, RETRY_DELAY_MS_MAX));
  }

  // Connected, and not known to be of no use; those that should have the state first.
  #candidates({ expected, passedOver }: Search, only: PeerName | undefined): readonly PeerName[] {
    const { network, peersOf } = this.#dependencies;
    const connected = new Set(network.peers.connected());
    const likely = peersOf(expected.shard).filter((peer) => connected.has(peer));
    const inOrder = [...new Set([...likely, ...connected])];
    return inOrder.filter((peer) => !passedOver.has(peer) && (only === undefined || peer === only));
  }

  #blame(search: Search, peer: PeerName, reason: string, weight: number): void {
    search.passedOver.add(peer);
    this.#dependencies.network.peers.misbehaved(peer, reason, weight);
  }

  #pause(delayMs: number): Promise<void> {
    const { signal } = this.#stop;
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        cancel();
        signal.removeEventListener('abort', done);
        resolve();
      };
      const cancel = this.#dependencies.clock.schedule(delayMs, done);
      signal.addEventListener('abort', done, { once: true });
    });
  }
}

function newSearch(expected: StateName): Search {
  const subtree = subtreeOf(expected.shard);
  return { expected, subtree, passedOver: new Set(), triedAlone: new Set(), isAlone: false, obstacle: 'no-answer' };
}

function newAttempt(only: PeerName | undefined): Attempt {
  const progress = { after: undefined, isLastShort: false };
  return { only, givers: new Set(), peer: undefined, progress, bytes: 0, failures: 0, brokenOff: undefined };
}

function breakOff(search: Search, attempt: Attempt, reason: StateFault): undefined {
  search.obstacle = reason;
  attempt.brokenOff = reason;
}

// More than this node takes: made up, or more than it was told to expect. Nobody is blamed, and others are asked.
function passOverGiver(search: Search, { givers }: Attempt): void {
  if (givers.size > 1) search.isAlone = true;
  else for (const giver of givers) search.passedOver.add(giver);
}
