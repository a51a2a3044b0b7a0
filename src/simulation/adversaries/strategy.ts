// What a dishonest validator is made of: the real node, and a strategy between it and its network. It has its own keys, knows its own
// node, whispers to single peers, and may tell the schedule what nobody honest must ever agree to.
import type { ConsensusState } from '../../core/consensus/state.ts';
import type { BlsScheme } from '../../core/crypto/bls.ts';
import type { VrfScheme } from '../../core/crypto/vrf.ts';
import type { Bytes32, Hex } from '../../core/primitives/ids.ts';
import type { Genesis } from '../../core/protocol/genesis.ts';
import type { Network, PeerName } from '../../network/ports.ts';
import type { Chain } from '../../node/create-chain.ts';
import type { Node } from '../../node/create-node.ts';
import type { Signer } from '../../runtime/signer.ts';
import type { LinkConditions } from '../links.ts';
import type { SeededRandom } from '../random.ts';

/** What a strategy works with. What is undefined is so until its node is made. */
export interface StrategyTools {
  readonly random: SeededRandom;
  /** Tells one peer only. */
  readonly whisper: (to: PeerName, topic: string, data: Uint8Array) => void;
  /** Adds signatures up. */
  readonly bls: BlsScheme;
  readonly vrf: VrfScheme;
  /** The validator's own signatures in an instance that its node runs, or has run. */
  readonly signerIn: (instanceId: Bytes32) => Signer | undefined;
  /** The chain of its node that runs in an instance. */
  readonly chainIn: (instanceId: Bytes32) => Chain | undefined;
  /** The node that it runs. */
  readonly node: () => Node | undefined;
  readonly genesis: () => Genesis | undefined;
  /** By the world's clock. */
  readonly schedule: (delayMs: number, run: () => void) => void;
  /** No honest validator may ever vote for this block: by its hash. */
  readonly toldWrong: (hashHex: Hex) => void;
  /** What it may do to the network itself, while faults last. */
  readonly wire: Wire;
}

/** The network in the hands of an adversary, who sees what every honest validator knows. */
export interface Wire {
  /** False once the schedule's faults are over: from then on the network is left alone. */
  readonly isOpen: () => boolean;
  readonly links: () => LinkConditions | undefined;
  readonly names: () => readonly PeerName[];
  /** Of every chain of every honest validator. */
  readonly honestStates: () => readonly ConsensusState[];
}

/** The network that the validator's node gets in the place of its own. */
export type Adversary = (own: Network, tools: StrategyTools) => Network;
