// The header that wallets and explorers see: Ethereum's, with Cancun's list of fields (yellow paper 4.4; EIPs 1559, 4399, 4788,
// 4844, 4895). Consensus knows nothing of it; every node derives the same from finalised blocks (protocol, section 7).
import { keccak256 } from '../crypto/keccak.ts';
import { COINBASE_ADDRESS } from '../execution/system-addresses.ts';
import { hex } from '../primitives/bytes.ts';
import type { Bytes32, Wei } from '../primitives/ids.ts';
import { encodeRlp, integerToRlp } from '../primitives/rlp.ts';
import { EMPTY_LIST_ROOT } from './merkle-patricia.ts';

/** The fields that vary. The others are constants of this file. */
export interface EthereumHeader {
  readonly parentHash: Bytes32;
  /** The world root. */
  readonly stateRoot: Bytes32;
  readonly transactionsRoot: Bytes32;
  readonly receiptsRoot: Bytes32;
  readonly logsBloom: Uint8Array;
  readonly number: number;
  readonly gasLimit: number;
  readonly gasUsed: number;
  /** Whole seconds. */
  readonly timestamp: number;
  readonly prevRandao: Bytes32;
  readonly baseFeePerGasWei: Wei;
  readonly parentBeaconBlockRoot: Bytes32;
}

/** keccak256(RLP([])): there are no uncles. */
export const EMPTY_UNCLES_HASH: Bytes32 = hex('1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347');
/** There are no withdrawals. */
export const EMPTY_WITHDRAWALS_ROOT: Bytes32 = EMPTY_LIST_ROOT;
/** Proof-of-work nonce, unused. */
export const ZERO_NONCE: Uint8Array = new Uint8Array(8);

const NOTHING = new Uint8Array(0);

/** RLP of the header: what its hash is the Keccak of. */
export function encodeHeader(header: EthereumHeader): Uint8Array {
  return encodeRlp([
    header.parentHash,
    EMPTY_UNCLES_HASH,
    COINBASE_ADDRESS,
    header.stateRoot,
    header.transactionsRoot,
    header.receiptsRoot,
    header.logsBloom,
    NOTHING, // difficulty 0
    integerToRlp(header.number),
    integerToRlp(header.gasLimit),
    integerToRlp(header.gasUsed),
    integerToRlp(header.timestamp),
    NOTHING, // extraData
    header.prevRandao,
    ZERO_NONCE,
    integerToRlp(header.baseFeePerGasWei),
    EMPTY_WITHDRAWALS_ROOT,
    NOTHING, // blobGasUsed 0
    NOTHING, // excessBlobGas 0
    header.parentBeaconBlockRoot,
  ]);
}

/** The block hash that clients see. */
export function hashOfHeader(header: EthereumHeader): Bytes32 {
  return keccak256(encodeHeader(header));
}
