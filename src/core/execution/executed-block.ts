// The result of executing one block: what its child's header commits, and what receipts, traces and the outside view are made of.

import type { Bytes32, Hex, Wei } from '../primitives/ids.ts';
import type { BlockBody, BlockHeader } from '../protocol/block.ts';
import type { Message, MessageResult } from '../protocol/message.ts';
import type { Transaction } from '../protocol/transaction.ts';
import type { ChangeSet } from '../state/change-set.ts';

/** What one transaction bought and paid, known before its main call runs. */
export interface SenderPart {
  readonly transaction: Transaction;
  /** What each gas was charged: min(maxFeePerGas, base + maxPriorityFeePerGas). */
  readonly effectiveGasPriceWei: Wei;
  readonly baseFeePerGasWei: Wei;
}

/** Everything that came of a block, in execution order with waves flattened. */
export interface BlockResult {
  readonly senderParts: readonly SenderPart[];
  /** Wave by wave, from 0 (inbox) on; a transaction's main call is the result whose `message.kind` is 'main-call' and origin hash its own, not forwarded. */
  readonly messages: readonly MessageResult[];
  readonly changeSet: ChangeSet;
  readonly proposerFeesWei: Wei;
  readonly burnedFeesWei: Wei;
  readonly gasUsed: number;
  readonly logsBloom: Uint8Array;
  readonly receiptsRoot: Bytes32;
  /** Messages to families of other shards, in the order of their emission: not executed here. */
  readonly outbox: readonly Message[];
  readonly outboxRoot: Bytes32;
}

/** A block with the transactions of its body decoded: static validation makes it, execution and the view take it. */
export interface DecodedBlock {
  readonly hash: Bytes32;
  readonly hashHex: Hex;
  readonly header: BlockHeader;
  readonly body: BlockBody;
  readonly transactions: readonly Transaction[];
}
