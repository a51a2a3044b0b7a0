// Senders of transactions by hash, when nobody needs the transactions themselves any more: whoever sends an old one again makes this node parse it,
// and not recover its signer. All lie in one array outside V8's heap, where they are no work to its garbage collector.
//
// One place for each hash of a hash, and the newest wins: bounded by construction, and whoever makes hashes meet only makes this node recover again.
import { invariant } from '../core/primitives/errors.ts';
import type { Address, Bytes32 } from '../core/primitives/ids.ts';

/** Senders remembered: those of forty full blocks and more. */
const PLACES = 2 ** 15;
const HASH_BYTES = 32;
const ENTRY_BYTES = HASH_BYTES + 20;

/** See the file's head. */
export class SenderMemory {
  readonly #entries = new Uint8Array(PLACES * ENTRY_BYTES);

  put(hash: Bytes32, sender: Address): void {
    invariant(hash.length + sender.length === ENTRY_BYTES, 'a hash and an address have their lengths');
    const at = placeOf(hash);
    this.#entries.set(hash, at);
    this.#entries.set(sender, at + HASH_BYTES);
  }

  get(hash: Bytes32): Address | undefined {
    const entries = this.#entries;
    const at = placeOf(hash);
    for (let i = 0; i < HASH_BYTES; i++) if (entries[at + i] !== hash[i]) return undefined;
    return entries.slice(at + HASH_BYTES, at + ENTRY_BYTES);
  }
}

function placeOf(hash: Bytes32): number {
  return ((((hash[0] as number) << 8) | (hash[1] as number)) & (PLACES - 1)) * ENTRY_BYTES;
}
