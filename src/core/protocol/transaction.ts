// A transaction as every room sees it: decoded, its sender recovered. Decoding is in decode-transaction.ts.
import type { Address, Bytes32, Hex, Wei } from '../primitives/ids.ts';

export interface AccessListEntry {
  readonly address: Address;
  readonly storageKeys: readonly Bytes32[];
}

/** Ethereum transaction types 0 (with chain id), 1 (EIP-2930) and 2 (EIP-1559). */
export interface Transaction {
  readonly type: 0 | 1 | 2;
  /** keccak256 of `raw`: its hash in Ethereum, its message id in Coppice. */
  readonly hash: Bytes32;
  readonly hashHex: Hex;
  /** The bytes as Ethereum encodes them, type byte included. */
  readonly raw: Uint8Array;
  readonly chainId: number;
  readonly nonce: bigint;
  /** For types 0 and 1 both prices are `gasPrice`. */
  readonly maxFeePerGasWei: Wei;
  readonly maxPriorityFeePerGasWei: Wei;
  readonly gasLimit: number;
  /** Absent for a contract creation. */
  readonly to: Address | undefined;
  readonly valueWei: Wei;
  readonly data: Uint8Array;
  readonly accessList: readonly AccessListEntry[];
  /** Parity of y: what `v` comes down to. */
  readonly yParity: 0 | 1;
  readonly sender: Address;
  readonly senderHex: Hex;
}
