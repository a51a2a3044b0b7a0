// Which rows lie where in the one database of a node: the first byte of a key says whose row it is. The state's own first bytes
// (0x10 to 0x1f) are in core/state/row-keys.ts; a test holds that no two rooms share one.

/** Version of the layout of all rows: a database of another version is refused, never guessed at. */
export const SCHEMA_VERSION = 4;

/** First bytes of the rows that storage itself defines. */
export const ROW_FAMILY = {
  /** The one row that says whose database this is, and of which schema. */
  identity: 0x00,
  committedBlock: 0x20,
  blockPlaceByHash: 0x21,
  blockResult: 0x22,
  pendingBlock: 0x23,
  /** Height of an instance's newest committed block. */
  instanceHead: 0x24,
  /** What was proved against a validator. */
  evidence: 0x25,
  /** What ended an instance: certificates of its closing block. */
  instanceEnd: 0x26,
  /** The last header of an instance that the beacon took over: from its height on the instance is void. */
  instanceTakenOver: 0x27,
  /** The state after a beacon block. */
  beaconState: 0x28,
  /** What a source sent, by the height that emitted it, with its anchor. */
  anchoredOutbox: 0x2b,
  /** What a shard's block sent to others, until all have read it. */
  sentMessages: 0x2c,
  /** What the child of a shard's block has to know, beside its header: of the newest, and of those that it may go back to. */
  shardParent: 0x2d,
  /** Hash, time and seed of each beacon block: what shard blocks see of the past. */
  beaconPoint: 0x2a,
  /** The start record of the beacon's instance. */
  beaconRecord: 0x29,
  /** Where a validator can be reached, as it says. */
  addressRecord: 0x2e,
  viewHeader: 0x30,
  /** What clients are shown of a shard block's execution: transactions, */
  shownTransactions: 0x31,
  /** and receipts with messages. */
  shownReceipts: 0x32,
  viewNumberByHash: 0x33,
  transactionPlace: 0x34,
  /** Number of the newest view block. */
  viewHead: 0x35,
  /** Where all money is after a view block. */
  supplyTotals: 0x36,
  /** What a view block takes of its beacon block, until it is made. */
  viewAnchor: 0x37,
  /** What a transaction was charged in one shard whose main call ran, or will run, in another. */
  chargedTransaction: 0x38,
  /** A main call that ran, and a pointer of whose contracts is not final. */
  awaitedPointers: 0x39,
  /** View blocks with messages of a transaction that is shown in another. */
  messagePlace: 0x3a,
  /** Such a transaction, until it is shown. */
  underWay: 0x3b,
  /** Of a sender the lowest nonce that was under way until a view block mined it. */
  minedLate: 0x3c,
} as const;
