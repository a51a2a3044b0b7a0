// The signing record that a node starts with. A validator's record begins together with its database, at its very first start, even if
// it does not vote for long: so a database with blocks and no record means that the record was lost, and never that nothing was signed.
// Signing on without it could contradict what was signed, so the node does not start, and makes nothing.
import { emptyRecord, SigningRecord as SigningRecordType } from '../core/consensus/record.ts';
import { bytesToHex } from '../core/primitives/bytes.ts';
import { CoppiceError } from '../core/primitives/errors.ts';
import type { Instance } from '../core/protocol/committee.ts';
import type { FileStore } from '../storage/file-store.ts';
import { openSigningRecord, type SigningRecord } from '../storage/signing-record.ts';
import type { LoadedInstance } from './load-instance.ts';

/** See the file's head. The record of an observer stays empty; throws `signing-record/missing` for a validator that lost its own. */
export async function openOwnSigningRecord(
  files: FileStore,
  { instance, committed, engineStart, pending }: LoadedInstance,
  isValidator: boolean,
): Promise<SigningRecord> {
  const path = signingRecordPath(instance);
  const isDatabaseNew = engineStart.committed === undefined && pending.length === 0;
  const missing = (): CoppiceError =>
    new CoppiceError('signing-record/missing', { path, height: pending.at(-1)?.header.height ?? committed.facts.height });
  // Asked before it is opened: opening makes the file.
  if (isValidator && !isDatabaseNew && (await files.read(path)) === undefined) throw missing();
  const signingRecord = await openSigningRecord(files, path);
  if (!isValidator || signingRecord.read() !== undefined) return signingRecord;
  try {
    if (!isDatabaseNew) throw missing();
    await signingRecord.write(SigningRecordType.serialize(emptyRecord(instance.instanceId)));
  } catch (error) {
    await signingRecord.close();
    throw error;
  }
  return signingRecord;
}

/** Each instance has a record of its own: a promise of one says nothing about another. */
function signingRecordPath({ chain, epoch, instanceId }: Instance): string {
  return `chain-${chain}-epoch-${epoch}-${bytesToHex(instanceId.subarray(0, 8))}.record`;
}
