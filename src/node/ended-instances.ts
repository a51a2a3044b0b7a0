// Of which instances a validator gave up its signing record. Nobody may sign in one again: whoever comes back to it, with an old copy of the database
// or with none, only follows it. One line for each chain, `chain epoch`, in order of chains: of all its instances up to that epoch. The last line is
// the checksum of those before it, since one bit less of an epoch would let a validator sign where it has forgotten what it signed.
import { sha256 } from '../core/crypto/sha256.ts';
import { bytesEqual, bytesToHex } from '../core/primitives/bytes.ts';
import { CoppiceError } from '../core/primitives/errors.ts';
import type { ChainId, Epoch } from '../core/primitives/ids.ts';
import '../storage/errors.ts';

/** Newest epoch of which nothing is kept, by chain. */
export type EndedInstances = ReadonlyMap<ChainId, Epoch>;

const ENTRY = /^(0|[1-9][0-9]{0,15}) (0|[1-9][0-9]{0,15})$/;

/** The file's bytes. */
export function encodeEndedInstances(ended: EndedInstances): Uint8Array {
  const entries = [...ended].sort(([a], [b]) => a - b).map(([chain, epoch]) => `${chain} ${epoch}\n`);
  const text = new TextEncoder().encode(entries.join(''));
  return new TextEncoder().encode(`${entries.join('')}${bytesToHex(sha256(text))}\n`);
}

/** Reads the file; throws `storage/corrupt` for anything that was not written as it stands there. */
export function decodeEndedInstances(bytes: Uint8Array, path: string): EndedInstances {
  const lines = new TextDecoder().decode(bytes).split('\n').slice(0, -2);
  const ended = new Map<ChainId, Epoch>();
  for (const line of lines) {
    const [, chain, epoch] = ENTRY.exec(line) ?? [];
    if (Number.isSafeInteger(Number(chain)) && Number.isSafeInteger(Number(epoch))) ended.set(Number(chain), Number(epoch));
  }
  if (bytesEqual(encodeEndedInstances(ended), bytes)) return ended;
  throw new CoppiceError('storage/corrupt', {
    path,
    detail: 'not a list of ended instances with its checksum: signing on could contradict what was signed',
  });
}
