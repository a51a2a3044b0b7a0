// Layout independence: executing an item depends on the item, the state of its one family and its recorded context.
// Each family that a final block touched is executed again alone, by the code that executes blocks, on a reader that refuses
// to read anything of any other family; every result, and every change to that family, must be what the block made of it.

import { executeSenderParts, type Wave0 } from '../../core/execution/execute-block.ts';
import { executeMessage, type ItemEnvironment } from '../../core/execution/execute-message.ts';
import type { BlockResult } from '../../core/execution/executed-block.ts';
import type { ItemExecutor } from '../../core/execution/item-executor.ts';
import { StateOverlay } from '../../core/execution/state-overlay.ts';
import { bytesToHex } from '../../core/primitives/bytes.ts';
import type { Address, Hex, Wei } from '../../core/primitives/ids.ts';
import type { ExecutionContext, Message, MessageResult } from '../../core/protocol/message.ts';
import type { Transaction } from '../../core/protocol/transaction.ts';
import type { TransactionTarget } from '../../core/shard/transaction-target.ts';
import type { StateReader } from '../../core/state/state-reader.ts';
import { saysTheSame, textOf } from './same-value.ts';

/** A block that was executed, and all that its result follows from. */
export interface ReplayedBlock {
  readonly transactions: readonly Transaction[];
  readonly result: BlockResult;
  readonly parentState: StateReader;
  readonly parentBaseFeePerGasWei: Wei;
  /** What the block records of a transaction's target: the price of its shard, and the family that it proves. */
  readonly targetOf?: ((transaction: Transaction) => Pick<TransactionTarget, 'baseFeePerGasWei' | 'provenFamily'> | undefined) | undefined;
  readonly context: ExecutionContext;
  readonly gasLimitSeenByCode: number;
}

/** What came from other shards runs before what the senders of the block begin. */
const INBOX_WAVE = 0;

interface FamilyItems {
  readonly family: Address;
  readonly transactions: Transaction[];
  readonly messages: MessageResult[];
}

/** What differs between a block's result and its families replayed one by one: one line each, none where all is well. */
export async function replayFamilies(block: ReplayedBlock, executor: ItemExecutor): Promise<readonly string[]> {
  const found: string[] = [];
  const emitted = new Map<Hex, Message>();
  for (const message of [...block.result.messages.map((one) => one.message), ...block.result.outbox])
    if (message.kind === 'main-call' && message.hop === 0) emitted.set(bytesToHex(message.id), message);
  for (const items of itemsByFamily(block)) found.push(...(await replayFamily(items, block, executor, emitted)));
  return found;
}

async function replayFamily(
  { family, transactions, messages }: FamilyItems,
  { result, parentState, parentBaseFeePerGasWei, targetOf, context, gasLimitSeenByCode }: ReplayedBlock,
  executor: ItemExecutor,
  mainCalls: ReadonlyMap<Hex, Message>,
): Promise<readonly string[]> {
  const familyHex = bytesToHex(family);
  const found: string[] = [];
  const overlay = new StateOverlay(new FamilyReader(parentState, familyHex));
  const environment: ItemEnvironment = { overlay, context, executor, gasLimitSeenByCode };
  const execute = async (ofInbox: boolean): Promise<void> => {
    for (const expected of messages) {
      if ((expected.wave === INBOX_WAVE) !== ofInbox) continue;
      const { result: alone } = await executeMessage(environment, expected.message, expected.wave);
      if (saysTheSame(expected, alone)) continue;
      const id = bytesToHex(expected.message.id);
      found.push(`family ${familyHex}: message ${id} came to ${textOf(expected)}, alone to ${textOf(alone)}`);
    }
  };
  const parts = (): Wave0 =>
    executeSenderParts(
      overlay,
      transactions,
      parentBaseFeePerGasWei,
      targetOf && ((transaction) => targetOf(transaction)?.baseFeePerGasWei ?? 0n),
      targetOf && ((transaction) => targetOf(transaction)?.provenFamily),
    );
  try {
    await execute(true);
    for (const call of parts().mainCalls)
      if (!saysTheSame(mainCalls.get(bytesToHex(call.id)), call))
        found.push(`family ${familyHex}: alone, a sender part emits another main call`);
    await execute(false);
  } catch (error) {
    found.push(`family ${familyHex}: ${String(error)}`);
  }
  const changes = overlay.changeSet();
  const there = {
    accounts: result.changeSet.accounts.filter((change) => bytesToHex(change.family) === familyHex),
    pointers: result.changeSet.pointers.filter(({ address }) => bytesToHex(address) === familyHex),
  };
  const here = { accounts: changes.accounts, pointers: changes.pointers };
  if (!saysTheSame(there, here)) found.push(`family ${familyHex}: changes ${textOf(there)}, alone ${textOf(here)}`);
  return found;
}

// In the order of the block, which is wave by wave.
function itemsByFamily({ transactions, result }: ReplayedBlock): readonly FamilyItems[] {
  const families = new Map<Hex, FamilyItems>();
  const itemsOf = (family: Address): FamilyItems => {
    const familyHex = bytesToHex(family);
    const items = families.get(familyHex) ?? { family, transactions: [], messages: [] };
    families.set(familyHex, items);
    return items;
  };
  for (const transaction of transactions) itemsOf(transaction.sender).transactions.push(transaction);
  for (const message of result.messages) itemsOf(familyOf(message.message)).messages.push(message);
  // Whatever else the block says that it changed is of a family without items.
  for (const { family } of result.changeSet.accounts) itemsOf(family);
  for (const { address } of result.changeSet.pointers) itemsOf(address);
  return [...families.values()];
}

/** Where a message executes: a pointer, at the natural place of the contract that it is of. */
export function familyOf({ kind, target, targetFamily }: Message): Address {
  return kind === 'pointer' && target !== undefined ? target : targetFamily;
}

/** The state of one family, and code by its hash. Anything else is refused. */
class FamilyReader implements StateReader {
  readonly #whole: StateReader;
  readonly #familyHex: Hex;

  constructor(whole: StateReader, familyHex: Hex) {
    this.#whole = whole;
    this.#familyHex = familyHex;
  }

  getAccount(family: Address, address: Address): ReturnType<StateReader['getAccount']> {
    this.#mustBeOwn(family);
    return this.#whole.getAccount(family, address);
  }

  getPointer(address: Address): Address | undefined {
    this.#mustBeOwn(address); // A pointer lies at its address's natural place.
    return this.#whole.getPointer(address);
  }

  getStorage(family: Address, address: Address, slot: Uint8Array): Uint8Array | undefined {
    this.#mustBeOwn(family);
    return this.#whole.getStorage(family, address, slot);
  }

  getCode(codeHash: Uint8Array): Uint8Array | undefined {
    return this.#whole.getCode(codeHash);
  }

  #mustBeOwn(family: Address): void {
    const asked = bytesToHex(family);
    if (asked !== this.#familyHex) throw new Error(`an item of family ${this.#familyHex} reads of family ${asked}`);
  }
}
