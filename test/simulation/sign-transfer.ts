// Signs plain transfers (type 2) with the project's own RLP and secp256k1, for tests that run in virtual time.
import { keccak256 } from '../../src/core/crypto/keccak.ts';
import type { Secp256k1 } from '../../src/core/crypto/secp256k1.ts';
import { bigintToBytes, concatBytes } from '../../src/core/primitives/bytes.ts';
import { encodeRlp, type RlpItem } from '../../src/core/primitives/rlp.ts';

/** A transfer to be signed. */
export interface Transfer {
  readonly secretKey: Uint8Array;
  readonly nonce: bigint;
  readonly to: Uint8Array;
  readonly valueWei: bigint;
  readonly chainId: number;
  readonly data?: Uint8Array;
}

const MAX_FEE_PER_GAS_WEI = 10n ** 11n;
const PRIORITY_FEE_PER_GAS_WEI = 10n ** 9n;
const TYPE_2 = new Uint8Array([2]);

/** The raw bytes. */
export function signTransfer(
  { secretKey, nonce, to, valueWei, chainId, data = new Uint8Array(0) }: Transfer,
  secp256k1: Secp256k1,
): Uint8Array {
  const fields: RlpItem[] = [
    integer(BigInt(chainId)),
    integer(nonce),
    integer(PRIORITY_FEE_PER_GAS_WEI),
    integer(MAX_FEE_PER_GAS_WEI),
    integer(21_000n),
    to,
    integer(valueWei),
    data,
    [],
  ];
  const { r, s, yParity } = secp256k1.sign(secretKey, keccak256(TYPE_2, encodeRlp(fields)));
  return concatBytes(TYPE_2, encodeRlp([...fields, integer(BigInt(yParity)), trimmed(r), trimmed(s)]));
}

function integer(value: bigint): Uint8Array {
  return trimmed(bigintToBytes(value, 32));
}

function trimmed(bytes: Uint8Array): Uint8Array {
  const start = bytes.findIndex((byte) => byte !== 0);
  return start < 0 ? new Uint8Array(0) : bytes.subarray(start);
}
