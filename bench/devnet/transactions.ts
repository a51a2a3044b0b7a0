// The load generator's transactions: signed before the measurement, so that signing is not measured. Every sender has its own
// nonces; recipients are drawn from all funded accounts by a fixed rule.
import { keccak256 } from '../../src/core/crypto/keccak.ts';
import type { Secp256k1 } from '../../src/core/crypto/secp256k1.ts';
import { bytesToBigint, bytesToPrefixedHex, concatBytes, hex } from '../../src/core/primitives/bytes.ts';
import { encodeRlp, integerToRlp } from '../../src/core/primitives/rlp.ts';

/** An account that sends. */
export interface Sender {
  readonly address: string;
  readonly secretKey: Uint8Array;
  nonce: number;
}

/** A transaction ready to send. */
export interface SignedTransaction {
  readonly raw: `0x${string}`;
  readonly hash: `0x${string}`;
}

/** What varies between kinds of load. */
export interface TransactionShape {
  readonly to: string | undefined;
  readonly valueWei: bigint;
  readonly gasLimit: number;
  readonly data: Uint8Array;
  /** What is paid at most and to the proposer; undefined: enough for a network that is not overloaded. */
  readonly fees?: { readonly maxFeeWei: bigint; readonly tipWei: bigint };
}

const MAX_FEE_WEI = 20_000_000_000n;
const TIP_WEI = 1_000_000_000n;

/** Signs the sender's next transaction (type 2). */
export function signNext(sender: Sender, shape: TransactionShape, chainId: number, secp256k1: Secp256k1): SignedTransaction {
  const { maxFeeWei, tipWei } = shape.fees ?? { maxFeeWei: MAX_FEE_WEI, tipWei: TIP_WEI };
  const fields = [
    integerToRlp(chainId),
    integerToRlp(sender.nonce),
    integerToRlp(tipWei),
    integerToRlp(maxFeeWei),
    integerToRlp(shape.gasLimit),
    shape.to === undefined ? new Uint8Array(0) : hex(shape.to),
    integerToRlp(shape.valueWei),
    shape.data,
    [],
  ];
  sender.nonce++;
  const { r, s, yParity } = secp256k1.sign(sender.secretKey, keccak256(concatBytes(Uint8Array.of(2), encodeRlp(fields))));
  const signature = [integerToRlp(yParity), integerToRlp(bytesToBigint(r)), integerToRlp(bytesToBigint(s))];
  const raw = concatBytes(Uint8Array.of(2), encodeRlp([...fields, ...signature]));
  return { raw: bytesToPrefixedHex(raw), hash: bytesToPrefixedHex(keccak256(raw)) };
}

/** A transfer of one wei. */
export function transferTo(recipient: string): TransactionShape {
  return { to: recipient, valueWei: 1n, gasLimit: 21_000, data: new Uint8Array(0) };
}

/** `transfer(recipient, 1)` of an ERC-20; the gas covers a recipient that had nothing. */
export function tokenTransferTo(token: string, recipient: string): TransactionShape {
  return {
    to: token,
    valueWei: 0n,
    gasLimit: 60_000,
    data: hex(`a9059cbb${recipient.slice(2).padStart(64, '0')}${'1'.padStart(64, '0')}`),
  };
}

/** `count` transactions, taking the senders in turn. */
export function signMany(
  count: number,
  senders: readonly Sender[],
  recipients: readonly string[],
  shapeFor: (recipient: string) => TransactionShape,
  chainId: number,
  secp256k1: Secp256k1,
): SignedTransaction[] {
  return Array.from({ length: count }, (_unused, i) => {
    const recipient = recipients[(i * 7_919) % recipients.length] as string;
    return signNext(senders[i % senders.length] as Sender, shapeFor(recipient), chainId, secp256k1);
  });
}
