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
/** Cursors of one header: one for each (source, prefix). */
export const CURSORS_MAX = 1024;
/** Load levels in headers: 2 + 4 + 8 descendants. */
export const LOAD_DESCENDANTS = 14;
