// The disk of one node: its database and its files, behind the production ports. Writes take time, one after the other; a loss of power
// takes what was not synced, from some batch on, and what was being written is there, not there or, in a file, torn. A disk can
// be slow, or full for a while, when every write fails. Its bits can rot: of the database that shows when a row is read, as an error, since every
// row carries a checksum (level-store.ts); of a file the reader must see for itself.

import { sha256 } from '../core/crypto/sha256.ts';
import { bytesToHex, uint64ToBytes } from '../core/primitives/bytes.ts';
import { CoppiceError, invariant } from '../core/primitives/errors.ts';
import type { Bytes32 } from '../core/primitives/ids.ts';
import type { Row, RowOperation, RowRange } from '../core/state/state-rows.ts';
import type { FileStore, SlotFile } from '../storage/file-store.ts';
import type { KeyValueStore } from '../storage/key-value-store.ts';
import { createMemoryStore, type MemoryStore } from '../storage/memory-store.ts';
import type { Life } from './life.ts';
import type { SeededRandom } from './random.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** How a process ends. */
export type End = 'killed' | 'power-lost';

/** What a fault may change about a disk. */
export interface DiskConditions {
  /** Median time of a synced write. */
  syncMs: number;
  isFull: boolean;
  /** It says that it has synced when it has not. */
  lies: boolean;
}

/** The ports of one life. */
export interface DiskPorts {
  readonly store: KeyValueStore;
  readonly files: FileStore;
}

/** Rows that have rotted: so large a share of those that were there, chosen by their keys. */
interface Rot {
  readonly share: number;
  readonly salt: Uint8Array;
  /** Keys written since. */
  readonly fresh: Set<string>;
}

/** A write that is not done. */
interface Underway {
  /** Puts it on the medium. */
  readonly apply: () => void;
  /** Puts a part of it there, if it can be written in part. */
  readonly tear: () => void;
}

interface OpenFile {
  readonly path: string;
  readonly content: Uint8Array;
}

/** Of an instance's id, in the name of its signing record. */
const INSTANCE_NAME_BYTES = 8;
/** An unsynced write costs this share of a synced one: it only reaches the page cache. */
const UNSYNCED_SHARE = 0.1;

/** See the file's head. */
export class SimulatedDisk {
  readonly conditions: DiskConditions;
  /** Told of each write as it begins: a fault may end the process in its midst. */
  onWrite: (() => void) | undefined;
  readonly #clock: VirtualClock;
  readonly #random: SeededRandom;
  readonly #files = new Map<string, Uint8Array>();
  #rows: MemoryStore = createMemoryStore();
  #rot: Rot | undefined;
  /** Files that have rotted since they were written last. */
  readonly #rottenFiles = new Set<string>();
  /** Batches written since the last sync: what a loss of power may take. */
  #unsyncedBatches = 0;
  /** In order. */
  readonly #underway: Underway[] = [];
  /** When the last write in the queue is done, by the world's clock. */
  #busyUntilMs = 0;

  constructor(clock: VirtualClock, random: SeededRandom, syncMs: number) {
    this.#clock = clock;
    this.#random = random;
    this.conditions = { syncMs, isFull: false, lies: false };
  }

  /** The database as it is now. */
  get rows(): MemoryStore {
    return this.#rows;
  }

  /** The files of all signing records, as a loss of power would leave them now. */
  get recordFiles(): readonly Uint8Array[] {
    return [...this.#files].flatMap(([path, bytes]) => (path.endsWith('.record') ? [bytes] : []));
  }

  /** That of one instance; undefined before there is one. */
  recordFileOf(instanceId: Bytes32): Uint8Array | undefined {
    const name = bytesToHex(instanceId.subarray(0, INSTANCE_NAME_BYTES));
    for (const [path, bytes] of this.#files) if (path.endsWith(`${name}.record`)) return bytes;
    return undefined;
  }

  /** A copy of the database, as a backup has it; files are not in it. */
  backup(): MemoryStore {
    return this.#rows.afterPowerLoss(Number.POSITIVE_INFINITY);
  }

  /** Lets this share of the rows rot that are there now. */
  rotRows(share: number): void {
    this.#rot = { share, salt: uint64ToBytes(this.#random.integer(0, 2 ** 31)), fresh: new Set() };
  }

  /**
   * Lets one bit of each file rot, among the bytes that were ever written. No file rots a second time before it is written anew: both
   * copies of a signing record may be gone then, which nobody can tell from a write that tore.
   */
  rotFiles(): void {
    for (const [path, content] of this.#files) {
      if (this.#rottenFiles.has(path)) continue;
      this.#rottenFiles.add(path);
      const written: number[] = [];
      for (let place = 0; place < content.length; place++) if (content[place] !== 0) written.push(place);
      if (written.length === 0) continue;
      const place = this.#random.pick(written);
      content[place] = (content[place] as number) ^ (1 << this.#random.integer(0, 8));
    }
  }

  /** Puts a backup in the place of the database, while no process uses it. */
  restore(backup: MemoryStore): void {
    this.#rot = undefined;
    this.#rows = backup;
    this.#unsyncedBatches = 0;
  }

  /** What is left when the process ends: to be called once its life is over. */
  afterEnd(end: End): void {
    const done = this.#random.integer(0, this.#underway.length + 1);
    const [next] = this.#underway.slice(done);
    for (const { apply } of this.#underway.slice(0, done)) apply();
    next?.tear();
    this.#underway.length = 0;
    this.#busyUntilMs = 0;
    // The page cache outlives a process, but not the power.
    const kept = end === 'killed' ? Number.POSITIVE_INFINITY : this.#random.integer(0, this.#unsyncedBatches + 1);
    this.#rows = this.#rows.afterPowerLoss(kept);
    this.#unsyncedBatches = 0;
  }

  /** How many files there are. */
  get fileCount(): number {
    return this.#files.size;
  }

  /** What one life of a process reads and writes with. */
  portsOf(life: Life): DiskPorts {
    return { store: this.#storeOf(life), files: this.#filesOf(life) };
  }

  #storeOf(life: Life): KeyValueStore {
    return {
      get: (key) => {
        const value = this.#rows.get(key);
        if (value !== undefined) this.#mustBeWhole(key);
        return value;
      },
      write: (batch, options) => life.whileAlive(this.#writeBatch(life, batch, options)),
      iterate: (range) => this.#iterate(range),
      close: async () => undefined,
    };
  }

  async *#iterate(range: RowRange): AsyncGenerator<Row> {
    for await (const row of this.#rows.iterate(range)) {
      this.#mustBeWhole(row.key);
      yield row;
    }
  }

  #mustBeWhole(key: Uint8Array): void {
    if (this.#rot === undefined) return;
    const { share, salt, fresh } = this.#rot;
    const keyHex = bytesToHex(key);
    if (fresh.has(keyHex) || (sha256(salt, key)[0] as number) >= share * 256) return;
    throw new CoppiceError('storage/corrupt', { path: 'disk', key: keyHex, detail: 'the value does not have its checksum' });
  }

  #writeBatch(life: Life, batch: readonly RowOperation[], options: { readonly sync: boolean }): Promise<void> {
    const apply = (): void => {
      const sync = options.sync && !this.conditions.lies;
      this.#unsyncedBatches = sync ? 0 : this.#unsyncedBatches + 1;
      void this.#rows.write(batch, { sync });
      for (const { key } of batch) this.#rot?.fresh.add(bytesToHex(key));
    };
    return this.#untilWritten(life, options.sync, { apply, tear: () => undefined });
  }

  #filesOf(life: Life): FileStore {
    const files = this.#files;
    return {
      read: async (path) => files.get(path)?.slice(),
      replaceSynced: (path, bytes) => life.whileAlive(this.#replace(life, path, bytes)),
      openSlots: (path, fresh) => life.whileAlive(this.#openSlots(life, path, fresh)),
      list: async (path) => {
        const folder = path === '.' ? '' : `${path}/`;
        const names = [...files.keys()].filter((name) => name.startsWith(folder)).map((name) => name.slice(folder.length).split('/', 1)[0]);
        return [...new Set(names as string[])].sort();
      },
      remove: async (path) => {
        files.delete(path);
      },
    };
  }

  #replace(life: Life, path: string, bytes: Uint8Array): Promise<void> {
    return this.#untilWritten(life, true, { apply: () => void this.#files.set(path, bytes.slice()), tear: () => undefined });
  }

  async #openSlots(life: Life, path: string, fresh: Uint8Array): Promise<SlotFile> {
    if (!this.#files.has(path)) await this.#replace(life, path, fresh);
    const content = this.#files.get(path) as Uint8Array;
    if (content.length !== fresh.length)
      throw new CoppiceError('storage/corrupt', { path, detail: `${content.length} bytes, expected ${fresh.length}` });
    return {
      initialBytes: content.slice(),
      writeSynced: (offset, bytes) => life.whileAlive(this.#writeSlot(life, { path, content }, offset, bytes)),
      close: async () => undefined,
    };
  }

  #writeSlot(life: Life, { path, content }: OpenFile, offset: number, bytes: Uint8Array): Promise<void> {
    return this.#untilWritten(life, true, {
      apply: () => {
        content.set(bytes, offset);
        this.#rottenFiles.delete(path);
      },
      tear: () => content.set(bytes.subarray(0, this.#random.integer(0, bytes.length + 1)), offset),
    });
  }

  // One write after the other. Of a process that has ended nothing comes any more, though its code runs on to where it waits.
  #untilWritten(life: Life, isSynced: boolean, write: Underway): Promise<void> {
    if (!life.isAlive) return new Promise(() => undefined);
    const { syncMs } = this.conditions;
    const startMs = Math.max(this.#clock.exactMs, this.#busyUntilMs);
    this.#busyUntilMs = startMs + syncMs * (0.5 + this.#random.next()) * (isSynced ? 1 : UNSYNCED_SHARE);
    this.#underway.push(write);
    this.onWrite?.();
    return new Promise((resolve, reject) => {
      this.#clock.schedule(this.#busyUntilMs - this.#clock.exactMs, () => {
        if (!life.isAlive) return;
        invariant(this.#underway.shift() === write, 'writes are done in order');
        if (this.conditions.isFull) return reject(new CoppiceError('storage/unavailable', { path: 'disk', detail: 'no space left' }));
        write.apply();
        resolve();
      });
    });
  }
}
