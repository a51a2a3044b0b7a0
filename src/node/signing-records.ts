// The signing records that a node has: one for each instance in which it may sign, and none any more of those that the beacon has forgotten.
//
// A validator's record begins together with its database, at its very first start, even if it does not vote for long: so a database with blocks and
// no record means that the record was lost, and never that nothing was signed. Signing on without it could contradict what was signed, so the node
// does not start, and makes nothing.
//
// What a validator says in an instance can be held against it as long as the beacon knows the instance. Afterwards the record goes, and what stays
// is that there was one (ended-instances.ts), which is durable before the record is removed.
import { emptyRecord, SigningRecord as SigningRecordType } from '../core/consensus/record.ts';
import { bytesToHex } from '../core/primitives/bytes.ts';
import { CoppiceError } from '../core/primitives/errors.ts';
import type { ChainId, Epoch } from '../core/primitives/ids.ts';
import type { Instance } from '../core/protocol/committee.ts';
import type { FileStore } from '../storage/file-store.ts';
import { openSigningRecord, type SigningRecord } from '../storage/signing-record.ts';
import { decodeEndedInstances, type EndedInstances, encodeEndedInstances } from './ended-instances.ts';
import './errors.ts';
import type { LoadedInstance } from './load-instance.ts';

const ENDED_FILE = 'ended';
const RECORD_NAME = /^chain-([0-9]+)-epoch-([0-9]+)-[0-9a-f]{16}\.record$/;

/** A record that is open, and whether this node signs by it. */
export interface OpenRecord {
  readonly signingRecord: SigningRecord;
  readonly maySign: boolean;
}

/** See the file's head. */
export class SigningRecords {
  readonly #files: FileStore;
  readonly #isValidator: boolean;
  #ended: EndedInstances;
  #forgetting: Promise<void> = Promise.resolve();

  private constructor(files: FileStore, isValidator: boolean, ended: EndedInstances) {
    this.#files = files;
    this.#isValidator = isValidator;
    this.#ended = ended;
  }

  /** The records of a folder; throws `storage/corrupt` where it cannot be told which instances are over. */
  static async open(files: FileStore, isValidator: boolean): Promise<SigningRecords> {
    const encoded = await files.read(ENDED_FILE);
    return new SigningRecords(files, isValidator, encoded === undefined ? new Map() : decodeEndedInstances(encoded, ENDED_FILE));
  }

  /** The record of an instance. That of an observer stays empty; throws `signing-record/missing` for a validator that lost its own. */
  async openFor({ instance, committed, engineStart, pending }: LoadedInstance): Promise<OpenRecord> {
    const path = pathOf(instance);
    const maySign = this.#isValidator && instance.epoch > (this.#ended.get(instance.chain) ?? -1);
    const isDatabaseNew = engineStart.committed === undefined && pending.length === 0;
    const missing = (): CoppiceError =>
      new CoppiceError('signing-record/missing', { path, height: pending.at(-1)?.header.height ?? committed.facts.height });
    // Asked before it is opened: opening makes the file.
    if (maySign && !isDatabaseNew && (await this.#files.read(path)) === undefined) throw missing();
    const signingRecord = await openSigningRecord(this.#files, path);
    if (!maySign || signingRecord.read() !== undefined) return { signingRecord, maySign };
    try {
      if (!isDatabaseNew) throw missing();
      await signingRecord.write(SigningRecordType.serialize(emptyRecord(instance.instanceId)));
    } catch (error) {
      await signingRecord.close();
      throw error;
    }
    return { signingRecord, maySign };
  }

  /**
   * Gives up the records of instances before an epoch, but for those that run.
   *
   * @param oldest the first epoch of which the beacon knows instances still
   */
  forgetBefore(oldest: Epoch, running: readonly Instance[]): Promise<void> {
    this.#forgetting = this.#forgetting.then(() => this.#forget(oldest, new Set(running.map(pathOf))));
    return this.#forgetting;
  }

  /** When all that is to be given up is. */
  settled(): Promise<void> {
    return this.#forgetting;
  }

  async #forget(oldest: Epoch, kept: ReadonlySet<string>): Promise<void> {
    const names = await this.#files.list('.');
    const gone = names.flatMap((name) => {
      const [, chain, epoch] = RECORD_NAME.exec(name) ?? [];
      return epoch === undefined || Number(epoch) >= oldest || kept.has(name) ? [] : [{ name, chain: Number(chain), epoch: Number(epoch) }];
    });
    if (gone.length === 0) return;
    const ended = new Map<ChainId, Epoch>(this.#ended);
    for (const { chain, epoch } of gone) ended.set(chain, Math.max(epoch, ended.get(chain) ?? 0));
    await this.#files.replaceSynced(ENDED_FILE, encodeEndedInstances(ended));
    this.#ended = ended;
    for (const { name } of gone) await this.#files.remove(name);
  }
}

/** Each instance has a record of its own: a promise of one says nothing about another. */
function pathOf({ chain, epoch, instanceId }: Instance): string {
  return `chain-${chain}-epoch-${epoch}-${bytesToHex(instanceId.subarray(0, 8))}.record`;
}
