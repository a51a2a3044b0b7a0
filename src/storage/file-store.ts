// The port of files outside the database: keys, the signing record, era files. Paths are relative to a root that the adapter knows,
// with `/` between names; nothing outside the root can be named.

/** An open file of fixed size, written in place. */
export interface SlotFile {
  /** All bytes of the file. */
  readonly initialBytes: Uint8Array;
  /** Writes at `offset`; durable when it resolves. The write itself may tear at a crash: callers checksum. */
  writeSynced(offset: number, bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** Files below one root. Everything is made for the owner alone (files 0600, folders 0700). */
export interface FileStore {
  /** The file's bytes, or undefined where there is none. */
  read(path: string): Promise<Uint8Array | undefined>;
  /** Replaces the file as a whole: after a crash the old or the new content is there; durable when it resolves. */
  replaceSynced(path: string, bytes: Uint8Array): Promise<void>;
  /** Opens a file to write in place; where there is none, it is made with `fresh` as its content, durably. Throws `storage/corrupt` on another size. */
  openSlots(path: string, fresh: Uint8Array): Promise<SlotFile>;
  /** Names of the entries of a folder, sorted; none where there is no folder. */
  list(path: string): Promise<readonly string[]>;
  remove(path: string): Promise<void>;
}
