// How much one client may ask of a node. Everything that a request can make grow has its bound here.

/** Bounds of the RPC server. */
export interface RpcLimits {
  /** Of an HTTP body or a WebSocket frame. */
  readonly bodyBytesMax: number;
  /** Of all requests together that are not answered yet: of small ones, and as much again of large ones. */
  readonly inboundBytesMax: number;
  /** Of all answers together that clients have not taken yet: of their beginnings, and as much again of the rest. */
  readonly outboundBytesMax: number;
  readonly batchItemsMax: number;
  /** Requests in all batches under way together: parsed, each is some times what its text was. */
  readonly batchItemsUnderWayMax: number;
  /** Of the answers to one batch together; later items are refused. */
  readonly batchResponseBytesMax: number;
  readonly connectionsMax: number;
  readonly subscriptionsPerConnectionMax: number;
  /** Of all connections together. */
  readonly subscriptionsMax: number;
  /** Of answers and news that a slow WebSocket client has not taken yet; above, it is disconnected. */
  readonly connectionBufferedBytesMax: number;
  /** Requests of one WebSocket connection that are not answered yet. */
  readonly connectionPendingRequestsMax: number;
  /** Blocks that one search for logs may span. */
  readonly logBlocksMax: number;
  /** Logs that it may find. */
  readonly logsMax: number;
  readonly filtersMax: number;
  /** Addresses and topics that filters and subscriptions keep, all together. */
  readonly criteriaMax: number;
  /** A filter that nobody polls is forgotten after this time. */
  readonly filterLifetimeMs: number;
  readonly feeHistoryBlocksMax: number;
  /** When tips are asked for, which takes whole blocks instead of headers. */
  readonly feeHistoryRewardBlocksMax: number;
  /** `eth_sendRawTransactionSync` waits this long unless asked for less. */
  readonly syncWaitMsMax: number;
  readonly syncWaitsMax: number;
  /** Newest pieces of evidence in one answer. */
  readonly evidenceMax: number;
}

/** For a node on one machine with its users. */
export const DEFAULT_RPC_LIMITS: RpcLimits = {
  bodyBytesMax: 5 * 2 ** 20,
  inboundBytesMax: 32 * 2 ** 20,
  outboundBytesMax: 32 * 2 ** 20,
  batchItemsMax: 1000,
  batchItemsUnderWayMax: 16_384,
  batchResponseBytesMax: 25 * 2 ** 20,
  connectionsMax: 2048,
  subscriptionsPerConnectionMax: 64,
  subscriptionsMax: 4096,
  connectionBufferedBytesMax: 16 * 2 ** 20,
  connectionPendingRequestsMax: 1024,
  logBlocksMax: 10_000,
  logsMax: 10_000,
  filtersMax: 1024,
  criteriaMax: 131_072,
  filterLifetimeMs: 5 * 60_000,
  feeHistoryBlocksMax: 1024,
  feeHistoryRewardBlocksMax: 128,
  syncWaitMsMax: 30_000,
  syncWaitsMax: 4096,
  evidenceMax: 256,
};
