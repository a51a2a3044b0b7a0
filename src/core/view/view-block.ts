// View blocks: the one chain that wallets and explorers see (protocol, section 7). JSON-RPC knows nothing else.
import type { Address, Bytes32, Hex, TimestampMs, Wei } from '../primitives/ids.ts';
import type { Log, MessageKind, MessageResult } from '../protocol/message.ts';
import type { Transaction } from '../protocol/transaction.ts';
import type { EthereumHeader } from './ethereum-header.ts';
import type { SystemTransaction } from './system-transaction.ts';

/** A transaction where its main call ran, or a message shown as a system transaction. */
export type ViewTransaction =
  | { readonly kind: 'account'; readonly transaction: Transaction }
  | { readonly kind: 'system'; readonly transaction: SystemTransaction };

/** What became of one view transaction. Its place in the list is the transaction's. */
export interface ViewReceipt {
  readonly succeeded: boolean;
  /** Gas bought, which is gas paid (section 5); 0 for system transactions, whose gas was bought by what caused them. */
  readonly gasUsed: number;
  /** Sum of `gasUsed` up to and with this one. */
  readonly cumulativeGasUsed: number;
  readonly effectiveGasPriceWei: Wei;
  /** Of a creation that succeeded; what clients are shown is `contractAddressOf` (receipt.ts). */
  readonly contractAddress: Address | undefined;
  readonly logs: readonly Log[];
  /** `logIndex` of the first of `logs`: it runs over the whole block. */
  readonly firstLogIndex: number;
}

/** One executed message, for the `coppice_` methods: the links between what a transaction caused. */
export interface ViewMessage {
  readonly id: Bytes32;
  readonly kind: MessageKind;
  readonly outcome: MessageResult['outcome'];
  readonly originTransactionHash: Bytes32;
  readonly emitterId: Bytes32;
  readonly sender: Address;
  readonly senderFamily: Address;
  readonly target: Address | undefined;
  readonly targetFamily: Address;
  readonly valueWei: Wei;
  readonly gasLimit: number;
  readonly executionGasUsed: number;
  readonly hop: number;
  readonly wave: number;
  /** Position of the view transaction that shows it; undefined for pointers and forwards, which are not shown. */
  readonly transactionIndex: number | undefined;
}

/** See the file's head. Everything but `messages` and `timestampMs` is a function of what the header's hash covers. */
export interface ViewBlock {
  readonly header: EthereumHeader;
  readonly hash: Bytes32;
  readonly hashHex: Hex;
  readonly timestampMs: TimestampMs;
  readonly transactions: readonly ViewTransaction[];
  /** One for each transaction. */
  readonly receipts: readonly ViewReceipt[];
  /** In execution order. */
  readonly messages: readonly ViewMessage[];
}
