// Units and identifiers. A flavour is a plain number, bigint or byte array to the machine; to the type checker a `Round` is not
// a `Height`. Plain literals are assignable, so that codecs and tests need no casts.

type Flavour<T, Name extends string> = T & { readonly __flavour?: Name };

/** Height of a block within its chain; the genesis or start record stands at its own height. */
export type Height = Flavour<number, 'height'>;
/** Consensus round within one instance, from 1; 0 stands for the start record. */
export type Round = Flavour<number, 'round'>;
/** Epoch: a fixed number of beacon blocks. */
export type Epoch = Flavour<number, 'epoch'>;
/** 0 is the beacon; every other is a shard id, the generalized index of its subtree in the state tree (1 is the whole state). */
export type ChainId = Flavour<number, 'chain'>;
/** Index in the validator registry. */
export type ValidatorIndex = Flavour<number, 'validator-index'>;
/** Voting power: whole seats of a committee. */
export type Seats = Flavour<number, 'seats'>;
/** Milliseconds since the Unix epoch. */
export type TimestampMs = Flavour<number, 'timestamp-ms'>;
/** An amount of the native coin in its smallest unit. */
export type Wei = Flavour<bigint, 'wei'>;

/** Exactly 32 bytes. */
export type Bytes32 = Uint8Array;
/** Exactly 20 bytes: an Ethereum address. */
export type Address = Uint8Array;
/** Lower-case hexadecimal without `0x`: the form of bytes as a Map key. */
export type Hex = string;

/** The beacon's chain id. */
export const BEACON_CHAIN: ChainId = 0;
/** The shard that is the whole state. */
export const ROOT_SHARD: ChainId = 1;
