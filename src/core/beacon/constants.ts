// What the beacon's rules take from genesis and never changes: beside the state before, the only thing that a transition depends on.
import type { Bytes32, Seats } from '../primitives/ids.ts';
import { type Genesis, genesisRoot } from '../protocol/genesis.ts';
import type { NetworkParameters } from '../protocol/parameters.ts';

/** See the file's head. */
export interface BeaconConstants {
  readonly genesisRoot: Bytes32;
  readonly parameters: Pick<
    NetworkParameters,
    'epochBlocks' | 'takeoverGraceBlocks' | 'beaconBlockIntervalMsMin' | 'idleIntervalMs' | 'committeeSeats' | 'bodyBytesMax'
  >;
  /** Seats of all committees' draws: stake is divided into as many as genesis gave. */
  readonly totalSeats: Seats;
}

/** The constants of a network. */
export function beaconConstantsOf(genesis: Genesis): BeaconConstants {
  return {
    genesisRoot: genesisRoot(genesis),
    parameters: genesis.parameters,
    totalSeats: genesis.validators.reduce((sum, { seats }) => sum + seats, 0),
  };
}
