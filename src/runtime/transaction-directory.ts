// Which transactions this node has decoded already, so that each signature is recovered once per node: when a transaction arrives by
// RPC or gossip it is remembered here, and a block that carries it finds it by its hash. When it is committed, its sender is all that is kept.
import { keccak256 } from '../core/crypto/keccak.ts';
import { bytesToHex } from '../core/primitives/bytes.ts';
import { invariant } from '../core/primitives/errors.ts';
import type { Bytes32, Hex } from '../core/primitives/ids.ts';
import { accept, refuse, type Verdict } from '../core/primitives/verdict.ts';
import { type ParsedTransaction, parseTransaction, type TransactionRefusal, withSender } from '../core/protocol/decode-transaction.ts';
import type { Transaction } from '../core/protocol/transaction.ts';
import { SenderMemory } from './sender-memory.ts';
import type { SignatureVerifier } from './signature-verifier.ts';

/** Transactions remembered: as many as a mempool holds, and the blocks under way. */
export const REMEMBERED_TRANSACTIONS_MAX = 32_768;
/** Bytes of them. */
export const REMEMBERED_BYTES_MAX = 64 * 1024 * 1024;

/** What decoding gives. */
export type Decoded = Verdict<Transaction, TransactionRefusal>;

interface Unknown {
  readonly place: number;
  readonly parsed: ParsedTransaction;
}

/** See the file's head. */
export class TransactionDirectory {
  readonly #verifier: Pick<SignatureVerifier, 'recoverSenders'>;
  readonly #evmChainId: number;
  /** In the order of arrival. */
  readonly #remembered = new Map<Hex, Transaction>();
  readonly #senders = new SenderMemory();
  #oldest: MapIterator<Transaction> | undefined;
  #bytes = 0;

  constructor(verifier: Pick<SignatureVerifier, 'recoverSenders'>, evmChainId: number) {
    this.#verifier = verifier;
    this.#evmChainId = evmChainId;
  }

  /**
   * The transactions of these bytes in order; only those not remembered are parsed and recovered, together. `hashes` are the Keccak
   * hashes of the bytes, where the caller has them already.
   */
  async decode(raws: readonly Uint8Array[], hashes?: readonly Bytes32[]): Promise<Decoded[]> {
    const decoded: (Decoded | undefined)[] = [];
    const unknown: Unknown[] = [];
    for (let place = 0; place < raws.length; place++) {
      const raw = raws[place] as Uint8Array;
      const hash = hashes?.[place] ?? keccak256(raw);
      const hashHex = bytesToHex(hash);
      const known = this.#remembered.get(hashHex);
      if (known !== undefined) {
        decoded.push(accept(known));
        continue;
      }
      const parsed = parseTransaction(raw, this.#evmChainId, hash, hashHex);
      const sender = parsed.ok ? this.#senders.get(hash) : undefined;
      if (parsed.ok && sender === undefined) unknown.push({ place, parsed: parsed.value });
      decoded.push(!parsed.ok ? parsed : sender === undefined ? undefined : accept(withSender(parsed.value, sender)));
    }
    if (unknown.length > 0) await this.#recover(unknown, decoded);
    return decoded as Decoded[];
  }

  /** They are in a committed block: blocks have no use for them any more. */
  committed(transactions: readonly Transaction[]): void {
    for (const transaction of transactions) {
      this.#senders.put(transaction.hash, transaction.sender);
      this.#forget(transaction);
    }
    // An iterator that nobody moves on would keep every table that the map has outgrown since.
    this.#oldest = undefined;
  }

  async #recover(unknown: readonly Unknown[], decoded: (Decoded | undefined)[]): Promise<void> {
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
    const before = this.#remembered.size;
    this.#remembered.set(transaction.hashHex, transaction);
    if (this.#remembered.size === before) return;
    this.#bytes += transaction.raw.length;
    while (this.#remembered.size > REMEMBERED_TRANSACTIONS_MAX || this.#bytes > REMEMBERED_BYTES_MAX) {
      // One iterator between two commits: a new one would step over all that was forgotten since the map was last rebuilt, thousands of places.
      this.#oldest ??= this.#remembered.values();
      const oldest = this.#oldest.next();
      invariant(oldest.done !== true, 'a map over its bound has an oldest entry, and what the iterator has passed is not in it');
      this.#forget(oldest.value);
    }
  }

  #forget({ hashHex, raw }: Transaction): void {
    if (this.#remembered.delete(hashHex)) this.#bytes -= raw.length;
  }
}
