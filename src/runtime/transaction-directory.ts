// Which transactions this node has decoded already, so that each signature is recovered once per node: when a transaction arrives by
// RPC or gossip it is remembered here, and a block that carries it finds it by its hash.
import { keccak256 } from '../core/crypto/keccak.ts';
import { bytesToHex } from '../core/primitives/bytes.ts';
import type { Hex } from '../core/primitives/ids.ts';
import { accept, refuse, type Verdict } from '../core/primitives/verdict.ts';
import { type ParsedTransaction, parseTransaction, type TransactionRefusal, withSender } from '../core/protocol/decode-transaction.ts';
import type { Transaction } from '../core/protocol/transaction.ts';
import type { SignatureVerifier } from './signature-verifier.ts';

/** Transactions remembered: as many as a mempool holds, and the blocks under way. */
export const REMEMBERED_TRANSACTIONS_MAX = 32_768;
/** Bytes of them. */
export const REMEMBERED_BYTES_MAX = 64 * 1024 * 1024;

/** What decoding gives. */
export type Decoded = Verdict<Transaction, TransactionRefusal>;

/** See the file's head. */
export class TransactionDirectory {
  readonly #verifier: Pick<SignatureVerifier, 'recoverSenders'>;
  readonly #evmChainId: number;
  readonly #remembered = new Map<Hex, Transaction>();
  #bytes = 0;

  constructor(verifier: Pick<SignatureVerifier, 'recoverSenders'>, evmChainId: number) {
    this.#verifier = verifier;
    this.#evmChainId = evmChainId;
  }

  /** The transactions of these bytes in order; only those not remembered are parsed and recovered, together. */
  async decode(raws: readonly Uint8Array[]): Promise<Decoded[]> {
    const decoded: (Decoded | undefined)[] = [];
    const unknown: { readonly place: number; readonly parsed: ParsedTransaction }[] = [];
    raws.forEach((raw, place) => {
      const known = this.#remembered.get(bytesToHex(keccak256(raw)));
      if (known !== undefined) {
        decoded[place] = accept(known);
        return;
      }
      const parsed = parseTransaction(raw, this.#evmChainId);
      if (parsed.ok) unknown.push({ place, parsed: parsed.value });
      else decoded[place] = parsed;
    });
    if (unknown.length > 0) await this.#recover(unknown, decoded);
    return decoded as Decoded[];
  }

  async #recover(
    unknown: readonly { readonly place: number; readonly parsed: ParsedTransaction }[],
    decoded: (Decoded | undefined)[],
  ): Promise<void> {
    const senders = await this.#verifier.recoverSenders(
      unknown.map(({ parsed }) => ({ messageHash: parsed.signingHash, r: parsed.rBytes, s: parsed.sBytes, yParity: parsed.yParity })),
    );
    unknown.forEach(({ place, parsed }, position) => {
      const sender = senders[position];
      if (sender === undefined) {
        decoded[place] = refuse('invalid-signature', 'no signer has this signature; s must be low (EIP-2)');
        return;
      }
      const transaction = withSender(parsed, sender);
      this.#remember(transaction);
      decoded[place] = accept(transaction);
    });
  }

  #remember(transaction: Transaction): void {
    if (this.#remembered.has(transaction.hashHex)) return;
    this.#remembered.set(transaction.hashHex, transaction);
    this.#bytes += transaction.raw.length;
    for (const [hashHex, { raw }] of this.#remembered) {
      if (this.#remembered.size <= REMEMBERED_TRANSACTIONS_MAX && this.#bytes <= REMEMBERED_BYTES_MAX) return;
      this.#remembered.delete(hashHex); // Oldest first: a Map keeps the order of insertion.
      this.#bytes -= raw.length;
    }
  }
}
