// Serves states of the shards that this node has to whoever is to run one of them next (protocol, section 8). A version is read from its rows
// between two things that the node does for itself, at a bounded rate; it may be pruned while somebody fetches it, and then the answer says so.
import { bytesEqual } from '../core/primitives/bytes.ts';
import { isError } from '../core/primitives/errors.ts';
import type { ChainId } from '../core/primitives/ids.ts';
import type { ExportPosition } from '../core/state/export-leaves.ts';
import { CHUNK_BYTES_MAX } from '../core/state/state-chunk.ts';
import type { StateDatabase, StateVersion } from '../core/state/state-version.ts';
import type { PeerName, Request } from '../network/ports.ts';
import type { Clock } from '../runtime/ports.ts';
import { type ByteRates, ByteRation } from './byte-ration.ts';
import { ANSWER_CHUNKS_MAX, decodeStateRequest, encodeStateFrame, STATE_PROTOCOL, type StateName } from './state-protocol.ts';

const MIB = 1024 * 1024;

/** 128 KiB are read and encoded in about 10 ms: at most a third of a core, for a while. */
const STATE_RATES: ByteRates = {
  ofPeer: { perSecond: 2 * MIB, burst: 32 * MIB },
  inAll: { perSecond: 4 * MIB, burst: 64 * MIB },
};
/** Answers in the making; who comes later is told to ask again. */
export const STATE_ANSWERS_AT_ONCE_MAX = 4;

/** What serving needs of the node. */
export interface StateServerDependencies {
  /** The database of a shard that this node has, or had; undefined of any other. */
  readonly statesOf: (shard: ChainId) => Pick<StateDatabase, 'at' | 'exportVersion'> | undefined;
  readonly clock: Pick<Clock, 'nowMs'>;
  /** Lets everything else have its turn between two chunks; a simulator needs none. */
  readonly pause: (() => Promise<void>) | undefined;
  /** Told of each request that no honest node sends. */
  readonly onBadRequest: (peer: PeerName, reason: string) => void;
  readonly rates?: ByteRates;
}

/** Answers the state protocol. */
export function serveStates(request: Request, dependencies: StateServerDependencies): void {
  const { statesOf, clock, pause, onBadRequest, rates = STATE_RATES } = dependencies;
  const ration = new ByteRation(clock, rates);
  let inTheMaking = 0;
  request.handle(STATE_PROTOCOL, async function* (peer, body) {
    const asked = decodeStateRequest(body);
    if (!asked.ok) {
      onBadRequest(peer, 'bad-state-request');
      return;
    }
    const { name, after } = asked.value;
    const states = statesOf(name.shard);
    const version = states && versionOf(states, name);
    if (states === undefined || version === undefined) {
      yield encodeStateFrame({ kind: 'not-held' });
      return;
    }
    if (inTheMaking >= STATE_ANSWERS_AT_ONCE_MAX) {
      yield encodeStateFrame({ kind: 'busy' });
      return;
    }
    inTheMaking++;
    try {
      yield* answer({ states, version, after, admits: () => ration.admits(peer, CHUNK_BYTES_MAX), pause });
    } finally {
      inTheMaking--;
    }
  });
}

// A record names the height of the block that closed the one before. That block changes nothing, and after a takeover its result is void: so the
// state may be here as that of the height below.
function versionOf(states: Pick<StateDatabase, 'at'>, { height, root }: StateName): StateVersion | undefined {
  return [height, height - 1]
    .map((at) => (at < 0 ? undefined : states.at(at)))
    .find((version) => version && bytesEqual(version.root, root));
}

interface Answering {
  readonly states: Pick<StateDatabase, 'at' | 'exportVersion'>;
  readonly version: StateVersion;
  readonly after: ExportPosition | undefined;
  readonly admits: () => boolean;
  readonly pause: (() => Promise<void>) | undefined;
}

async function* answer({ states, version, after, admits, pause }: Answering): AsyncGenerator<Uint8Array> {
  let sent = 0;
  try {
    if (!admits()) return yield encodeStateFrame({ kind: 'busy' });
    for await (const chunk of states.exportVersion(version, CHUNK_BYTES_MAX, after)) {
      yield encodeStateFrame({ kind: 'chunk', chunk });
      sent++;
      if (sent === ANSWER_CHUNKS_MAX || !admits()) return;
      await pause?.();
    }
    yield encodeStateFrame({ kind: 'end' });
  } catch (error) {
    if (!isError(error, 'state/missing-node')) throw error;
    yield encodeStateFrame({ kind: 'not-held' });
  }
}
