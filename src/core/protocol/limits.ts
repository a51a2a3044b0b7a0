// Maxima that are part of the formats: they stand in SSZ types, so a change changes roots and encodings of the whole network.
// Everything that an operator could choose is in genesis (genesis.ts) instead.

/** Members of one committee: 400 seats on mainnet, 1,000 validators run the beacon. */
export const COMMITTEE_MEMBERS_MAX = 2048;
/** Bytes of one transaction as Ethereum encodes it. */
export const TRANSACTION_BYTES_MAX = 128 * 1024;
/** Transactions of one body: 16 M gas / 15,000, the cheapest possible sender part, rounded up to a power of two. */
export const TRANSACTIONS_PER_BODY_MAX = 2048;
/** Inbox items of one body: 8 M weight / 2,000 (MESSAGE_GAS) = 4,000. */
export const INBOX_ITEMS_PER_BODY_MAX = 4096;
/** Bytes of one inbox item with its proof. */
export const INBOX_ITEM_BYTES_MAX = 256 * 1024;
/** Shards of one layout: bundles of one outbox, and crosslinks of one beacon body. */
export const SHARDS_MAX = 1024;
/** Messages of one bundle: 16 M gas / 2,000 (MESSAGE_GAS), rounded up to a power of two. */
export const MESSAGES_PER_BUNDLE_MAX = 8192;
/** Indexes of wide bundles in one body: one for each cursor. */
export const BUNDLE_INDEXES_PER_BODY_MAX = 1024;
/** 34 bytes a message. */
export const BUNDLE_INDEX_BYTES_MAX = 512 * 1024;
/** One for each target and block: as many as transactions. */
export const POINTER_PROOFS_PER_BODY_MAX = 2048;
/** At most 256 siblings, and the leaf. */
export const POINTER_PROOF_BYTES_MAX = 16 * 1024;
/** Headers of one crosslink beside its carriers. */
export const CROSSLINK_HEADERS_MAX = 64;
/** A shard's blocks that no crosslink has made final: four crosslinks. A closing block may come on top. */
export const UNANCHORED_BLOCKS_MAX = 256;
/** Blocks after a closing one that bring it the CC. */
export const CARRIERS_MAX = 256;
/** Crosslinks of one beacon body: one for each shard. */
export const CROSSLINKS_PER_BODY_MAX = 1024;
/** Bytes of one crosslink: a header has about 2 KiB, more with many cursors and outboxes. */
export const CROSSLINK_BYTES_MAX = 4 * 1024 * 1024;
/** Pieces of evidence of one beacon body: rare, and dear to check. */
export const EVIDENCE_PER_BODY_MAX = 16;
/** Bytes of one piece: a header with the longest lists, and bitmaps. */
export const EVIDENCE_BYTES_MAX = 128 * 1024;
/** Cursors of one header: one for each (source, prefix). */
export const CURSORS_MAX = 1024;
/** Load levels in headers: 2 + 4 + 8 descendants. */
export const LOAD_DESCENDANTS = 14;
/** Data of one message: a transaction's, or what the messenger sends. */
export const MESSAGE_DATA_BYTES_MAX = 128 * 1024;
/** Entries of an access list: in the 128 KiB of a transaction each takes 23 bytes at least. */
export const ACCESS_LIST_ENTRIES_MAX = 8192;
/** Storage keys of one entry: in the 128 KiB of a transaction each takes 33 bytes. */
export const ACCESS_LIST_KEYS_MAX = 4096;
/** Bytes of one message: those of its transaction, in which access lists take a quarter more, and 600 of its own. An inbox item's, less the proof. */
export const MESSAGE_BYTES_MAX = 240 * 1024;
