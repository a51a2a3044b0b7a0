// The parameters of a network: in genesis, never constants in code. Two presets stand in genesis/presets; a genesis file names one
// and overrides what it likes. Gas numbers that are the same on every network are constants in gas.ts.

/** Everything about a network that is decided at genesis. Times in milliseconds, gas in units of EVM gas, prices in wei. */
export interface NetworkParameters {
  /** EVM chain id (EIP-155). */
  readonly evmChainId: number;
  readonly blockGasLimit: number;
  /** Weight of inbox items that one block may take. */
  readonly inboxGasShare: number;
  readonly inboxBytesShare: number;
  readonly transactionGasLimitMax: number;
  readonly bodyBytesMax: number;
  readonly transactionBytesMax: number;
  readonly roundTimeoutMs: number;
  readonly roundTimeoutMsMax: number;
  /** Timeouts grow by this factor for each consecutive failure, in percent (150 = × 1.5). */
  readonly roundTimeoutGrowthPercent: number;
  /** While a round is stuck, timeouts and newest certificates are sent again this often. */
  readonly resendIntervalMs: number;
  readonly blockIntervalMsMin: number;
  readonly idleIntervalMs: number;
  readonly leaderWindow: number;
  readonly baseFeePerGasWeiMin: bigint;
  readonly committeeSeats: number;
  /** A vote is refused for blocks this far in the future of one's own clock. A voting rule, never validity. */
  readonly clockToleranceMs: number;
  readonly mempoolTransactionsMax: number;
  readonly mempoolBytesMax: number;
  readonly mempoolTransactionsPerSenderMax: number;
  /** Blocks before the newest whose state a `full` node keeps, where its operator does not choose. */
  readonly fullHistoryBlocks: number;
  /** Beacon blocks of one epoch. */
  readonly epochBlocks: number;
  /** So many beacon blocks after its epoch's last an instance that is not closed is taken over by the beacon. */
  readonly takeoverGraceBlocks: number;
  /** What `blockIntervalMsMin` is for shards: the pace of the beacon. */
  readonly beaconBlockIntervalMsMin: number;
}
