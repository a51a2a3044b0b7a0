// Whose signing folder it is. A record says what was signed, and not by whom: beside another validator's record a key would take that
// one's promises for its own, and forget what it signed itself. So the folder carries the public key of the validator that began it.
import { bytesToHex } from '../core/primitives/bytes.ts';
import { CoppiceError } from '../core/primitives/errors.ts';
import type { FileStore } from '../storage/file-store.ts';
import '../storage/errors.ts';
import './errors.ts';

/** Name of the file within the signing folder. */
const OWNER_FILE = 'owner';
const PUBLIC_KEY = /^[0-9a-f]{96}\n$/;

/**
 * Called once the record is known to be there and before anything is signed: marks the folder as this key's where it has no mark
 * yet, throws `signing-record/foreign` where it has another's, `storage/corrupt` where it cannot be read. `folder` is for the message.
 */
export async function claimSigningFolder(files: FileStore, folder: string, blsPublicKey: Uint8Array): Promise<void> {
  const own = bytesToHex(blsPublicKey);
  const found = await files.read(OWNER_FILE);
  if (found === undefined) {
    await files.replaceSynced(OWNER_FILE, new TextEncoder().encode(`${own}\n`));
    return;
  }
  const owner = new TextDecoder().decode(found);
  if (!PUBLIC_KEY.test(owner)) {
    throw new CoppiceError('storage/corrupt', {
      path: `${folder}/${OWNER_FILE}`,
      detail: 'not a BLS public key in hexadecimal and a line end',
    });
  }
  if (owner.trim() !== own) throw new CoppiceError('signing-record/foreign', { path: folder, expected: own, found: owner.trim() });
}
