// All messages that came of a transaction, with the blocks in which they ran: those between shards run in later blocks than what sent them.
import { bytesToHex, hexToBytes } from '../core/primitives/bytes.ts';
import { invariant } from '../core/primitives/errors.ts';
import type { Hex } from '../core/primitives/ids.ts';
import type { ViewBlock, ViewMessage } from '../core/view/view-block.ts';
import type { RpcPorts } from './ports.ts';
import { findTransaction } from './transaction-lookup.ts';

/** A message and where it ran. */
export interface FoundMessage {
  readonly block: ViewBlock;
  readonly message: ViewMessage;
}

/** What is final so far of what the transaction with this hash caused, in the order of blocks and execution. */
export async function findMessages(ports: RpcPorts, hash: Hex): Promise<readonly FoundMessage[]> {
  const shownIn = (await findTransaction(ports, hash))?.block.header.number;
  const numbers = new Set([...(await ports.view.blocksWithMessagesOf(hash)), ...(shownIn === undefined ? [] : [shownIn])]);
  const found: FoundMessage[] = [];
  for (const number of [...numbers].sort((a, b) => a - b)) {
    const block = await ports.view.blockByNumber(number);
    if (block === undefined) continue;
    for (const message of block.messages) if (bytesToHex(message.originTransactionHash) === hash) found.push({ block, message });
  }
  return found;
}

/** True of the message that is a transaction's main call, where it ran. */
export function isMainCall({ kind, outcome }: ViewMessage): boolean {
  return kind === 'main-call' && outcome !== 'forwarded';
}

/** The hash under which Ethereum clients see the message, if they do. */
export function shownHashOf({ block, message }: FoundMessage): Uint8Array | undefined {
  if (message.transactionIndex !== undefined) return block.transactions[message.transactionIndex]?.transaction.hash;
  // Shown in a later block: its contracts had pointers to be written.
  return isMainCall(message) ? message.originTransactionHash : undefined;
}

/** The message that the transaction, or system transaction, with this hash shows. */
export async function findShown(
  ports: RpcPorts,
  hash: Hex,
): Promise<{ readonly shown: FoundMessage; readonly all: readonly FoundMessage[] } | undefined> {
  const found = await findTransaction(ports, hash);
  if (found === undefined) return undefined;
  const { block, index } = found;
  const here = block.messages.find((message) => message.transactionIndex === index);
  const origin = here === undefined ? hexToBytes(hash) : here.originTransactionHash;
  invariant(origin !== undefined, 'a hash that was found is one');
  const all = await findMessages(ports, bytesToHex(origin));
  const shown = here === undefined ? all.find(({ message }) => isMainCall(message)) : { block, message: here };
  return shown === undefined ? undefined : { shown, all };
}
