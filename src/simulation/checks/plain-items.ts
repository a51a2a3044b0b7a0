// Items, told a second time: what sender parts and messages do by sections 7 and 8 of docs/protocol.md, on plain maps, one item after the
// other, and without waves, shards or caches. Blocks are executed by core/execution; whatever that code gets wrong of charges, credits,
// forwards, bounces, replies, hooks, pointers, sweeps, fees and tips comes out otherwise here. Shared is the EVM alone: one call, on a view
// of one family made for this call, which gives back what code changed, logged and emitted.
import { sha256 } from '../../core/crypto/sha256.ts';
import type { ItemExecutor } from '../../core/execution/item-executor.ts';
import { type Emission, ItemState } from '../../core/execution/item-state.ts';
import { StateOverlay } from '../../core/execution/state-overlay.ts';
import { bytesEqual, bytesToHex, concatBytes, hex } from '../../core/primitives/bytes.ts';
import type { Address, Wei } from '../../core/primitives/ids.ts';
import type { ExecutionContext, Message, MessageResult } from '../../core/protocol/message.ts';
import type { Transaction } from '../../core/protocol/transaction.ts';
import { isContract, type PlainFamily } from './plain-family.ts';

const MESSENGER = hex('0000000000000000000000000000000000c00001');
const BOUNCE_HOOK = hex('685f22a3');
const FOREIGN_CALL = hex('c6537837');
const NO_SELECTOR = new Uint8Array(4);
const NOTHING = new Uint8Array(0);
/** Gas of section 8. */
const HOOK_GAS = 30_000;
const RECEIVE_GAS = 30_000;
const LAST_HOP = 64;
const RESULT_BYTES_MAX = 1024;

/** What an item runs in. */
export interface PlainWorld {
  readonly executor: ItemExecutor;
  readonly context: ExecutionContext;
  readonly gasLimitSeenByCode: number;
}

/** What a sender part is charged by. */
export interface PlainTerms {
  readonly baseFeePerGasWei: Wei;
  /** Of the shard of the target, where that is another. */
  readonly targetBaseFeePerGasWei?: Wei | undefined;
  /** The family that the body proves the target to be of. */
  readonly provenFamily?: Address | undefined;
}

/** What a sender part comes to. */
export interface PlainSenderPart {
  readonly mainCall: Message;
  readonly burnedWei: Wei;
  readonly proposerWei: Wei;
}

/** What a message comes to: all of its result but the wave, which is the block's. */
export interface PlainResult {
  readonly result: Omit<MessageResult, 'wave'>;
  readonly emitted: readonly Message[];
  readonly burnedWei: Wei;
  /** The half of a priority fee that travelled to here. */
  readonly proposerWei: Wei;
}

type Ran = Pick<MessageResult, 'outcome' | 'executionGasUsed' | 'createdAddress' | 'returnData' | 'logs'>;
const DID_NOTHING: Ran = { outcome: 'success', executionGasUsed: 0, createdAddress: undefined, returnData: NOTHING, logs: [] };

/** Takes nonce, fee and value of the sender, for the whole gas limit, and emits the main call. */
export function plainSenderPart(family: PlainFamily, transaction: Transaction, terms: PlainTerms): PlainSenderPart {
  const { sender, to, hash, nonce, valueWei, maxFeePerGasWei, maxPriorityFeePerGasWei } = transaction;
  const gas = BigInt(transaction.gasLimit);
  let { baseFeePerGasWei } = terms;
  if (terms.targetBaseFeePerGasWei !== undefined && terms.targetBaseFeePerGasWei > baseFeePerGasWei)
    baseFeePerGasWei = terms.targetBaseFeePerGasWei;
  let gasPriceWei = maxFeePerGasWei;
  if (baseFeePerGasWei + maxPriorityFeePerGasWei < gasPriceWei) gasPriceWei = baseFeePerGasWei + maxPriorityFeePerGasWei;
  const priorityWei = gas * (gasPriceWei - baseFeePerGasWei);
  const travellingTipWei = (priorityWei - (priorityWei % 2n)) / 2n;
  const account = family.account(sender);
  if (account?.nonce !== nonce) throw new Error(`nonce ${nonce} is not the sender's next`);
  const balanceWei = account.balanceWei - valueWei - gas * gasPriceWei;
  if (balanceWei < 0n || priorityWei < 0n) throw new Error(`the sender of ${transaction.hashHex} cannot pay`);
  family.setAccount(sender, { ...account, nonce: nonce + 1n, balanceWei });
  const isHere = to === undefined || bytesEqual(to, sender) || family.account(to) !== undefined;
  const mainCall: Message = {
    kind: 'main-call',
    id: idOf(hash, 0),
    originTransactionHash: hash,
    emitterId: hash,
    sender,
    senderFamily: sender,
    originAddress: sender,
    originFamily: sender,
    target: to,
    targetFamily: isHere ? sender : (terms.provenFamily ?? to),
    valueWei,
    data: transaction.data,
    gasLimit: transaction.gasLimit - gasOfInclusion(transaction),
    reservedGas: 0,
    replySelector: NO_SELECTOR,
    gasPriceWei,
    baseFeePerGasWei,
    travellingTipWei,
    creationNonce: nonce,
    accessList: transaction.accessList,
    hop: 0,
    pointerFamily: undefined,
  };
  return { mainCall, burnedWei: gas * baseFeePerGasWei, proposerWei: priorityWei - travellingTipWei };
}

/** Ethereum's intrinsic gas, of which 21,000 is Coppice's sender part and three inclusions. */
function gasOfInclusion({ data, accessList, to }: Transaction): number {
  const ofData = data.reduce((sum, byte) => sum + (byte === 0 ? 4 : 16), 0);
  const ofList = accessList.reduce((sum, { storageKeys }) => sum + 2_400 + 1_900 * storageKeys.length, 0);
  return 21_000 + ofData + ofList + (to === undefined ? 32_000 + 2 * Math.ceil(data.length / 32) : 0);
}

/** Executes one message in the family that it is for. */
export async function plainItem(family: PlainFamily, message: Message, world: PlainWorld): Promise<PlainResult> {
  const item = new Item(family, message, world);
  await item.execute();
  const { emitted, burnedWei, ran } = item;
  const result = { message, ...ran, emitted: emitted.map(({ id }) => id) };
  return { result, emitted, burnedWei, proposerWei: ran.outcome === 'forwarded' ? 0n : message.travellingTipWei };
}

class Item {
  readonly emitted: Message[] = [];
  burnedWei: Wei = 0n;
  ran: Ran = DID_NOTHING;
  readonly #family: PlainFamily;
  readonly #message: Message;
  readonly #world: PlainWorld;

  constructor(family: PlainFamily, message: Message, world: PlainWorld) {
    this.#family = family;
    this.#message = message;
    this.#world = world;
  }

  async execute(): Promise<void> {
    const { kind, target, targetFamily, valueWei } = this.#message;
    if (kind === 'pointer') return this.#pointer();
    if (kind === 'bounce') return this.#bounce();
    if (kind === 'reply') return this.#reply();
    const named = target !== undefined && bytesEqual(target, targetFamily) ? this.#family.pointer : undefined;
    if (named !== undefined) return this.#forward(named);
    if (kind === 'credit' || kind === 'sweep') return this.#family.credit(target as Address, valueWei);
    return this.#call();
  }

  // Value that came to the contract's address before its pointer goes on to it.
  #pointer(): void {
    const { target, pointerFamily } = this.#message;
    const [contract, family] = [target as Address, pointerFamily as Address];
    this.#family.writePointer(family);
    const found = this.#family.account(contract);
    if (found === undefined || found.balanceWei === 0n) return;
    this.#family.setAccount(contract, { ...found, nonce: 0n, balanceWei: 0n });
    this.#emit({
      kind: 'sweep',
      sender: contract,
      senderFamily: contract,
      target: contract,
      targetFamily: family,
      valueWei: found.balanceWei,
    });
  }

  // Under the same id, one hop further: nothing new comes into being.
  #forward(family: Address): void {
    const { hop } = this.#message;
    if (hop === LAST_HOP) return this.#fail('failure', NOTHING);
    this.ran = { ...DID_NOTHING, outcome: 'forwarded' };
    this.emitted.push({ ...this.#message, targetFamily: family, hop: hop + 1 });
  }

  // The value is back whatever the hook does.
  async #bounce(): Promise<void> {
    const { target, valueWei, gasLimit } = this.#message;
    const sender = target as Address;
    if (valueWei > 0n) this.#family.credit(sender, valueWei);
    if (gasLimit === 0 || !this.#hasCode(sender)) return;
    await this.#run({ ...this.#message, sender: MESSENGER, valueWei: 0n });
    if (this.ran.outcome !== 'success') this.ran = { ...this.ran, outcome: 'success' };
  }

  async #reply(): Promise<void> {
    if (this.#hasCode(this.#message.target as Address)) await this.#run(this.#message);
  }

  async #call(): Promise<void> {
    const { target, valueWei, data, originAddress } = this.#message;
    if (target === undefined) return this.#runOrFail();
    const isPrecompile = this.#world.executor.isPrecompile(bytesToHex(target));
    if (bytesEqual(target, MESSENGER) || (isPrecompile && valueWei > 0n))
      return this.#fail('revert', concatBytes(FOREIGN_CALL, word(target)));
    if (isPrecompile || this.#hasCode(target)) return this.#runOrFail();
    // A contract may be about to exist here.
    const isStranger = (this.#family.account(target)?.nonce ?? 0n) === 0n && !bytesEqual(target, originAddress);
    if (isStranger && data.length >= 4) return this.#fail('failure', NOTHING);
    if (valueWei > 0n) this.#family.credit(target, valueWei);
    this.#replyWith(NOTHING);
  }

  async #runOrFail(): Promise<void> {
    await this.#run(this.#message);
    if (this.ran.outcome === 'success') this.#replyWith(this.ran.returnData);
    else this.#bounceBack();
  }

  // What code did counts if it ended well: then its changes, messages and pointers are taken over from the EVM's view, else nothing.
  async #run(message: Message): Promise<void> {
    const { executor, context, gasLimitSeenByCode } = this.#world;
    const overlay = new StateOverlay(this.#family);
    const state = new ItemState(overlay, this.#family.family);
    const { outcome, gasUsed, createdAddress, returnData } = await executor.execute({ state, message, context, gasLimitSeenByCode });
    const isWell = outcome === 'success';
    this.ran = { outcome, executionGasUsed: gasUsed, createdAddress: isWell ? createdAddress : undefined, returnData, logs: [] };
    if (!isWell) return;
    this.ran = { ...this.ran, logs: state.logs };
    this.burnedWei = state.finish();
    this.#family.apply(overlay.changeSet());
    for (const emission of state.outbox) this.#emitFromCode(emission);
    const { family } = this.#family;
    for (const contract of state.created.values()) {
      if (bytesEqual(contract, family)) continue;
      const place = { sender: contract, senderFamily: family, target: contract, targetFamily: contract };
      this.#emit({ kind: 'pointer', ...place, pointerFamily: family });
    }
  }

  #emitFromCode(emission: Emission): void {
    const { kind, from, to, valueWei } = emission;
    const ends = { kind, sender: from, senderFamily: this.#family.family, target: to, valueWei };
    if (emission.kind === 'call') {
      const { data, gasLimit, reservedGas, replySelector, isInSenderFamily } = emission;
      const targetFamily = isInSenderFamily ? this.#family.family : to;
      this.#emit({ ...ends, targetFamily, data, gasLimit, reservedGas, replySelector });
    } else if (emission.kind === 'value-send') {
      this.#emit({ ...ends, targetFamily: to, gasLimit: RECEIVE_GAS, reservedGas: HOOK_GAS });
    } else {
      this.#emit({ ...ends, targetFamily: to });
    }
  }

  #fail(outcome: 'revert' | 'failure', returnData: Uint8Array): void {
    this.ran = { ...DID_NOTHING, outcome, returnData };
    this.#bounceBack();
  }

  // With its value, and to the hook where that is paid for.
  #bounceBack(): void {
    const { id, sender, senderFamily, target, targetFamily, valueWei, reservedGas } = this.#message;
    if (valueWei === 0n && reservedGas === 0) return;
    const from = target ?? sender;
    const ends = {
      kind: 'bounce',
      sender: from,
      senderFamily: targetFamily,
      target: sender,
      targetFamily: senderFamily,
      valueWei,
    } as const;
    if (reservedGas === 0) return this.#emit(ends);
    this.#emit({ ...ends, gasLimit: HOOK_GAS, data: concatBytes(BOUNCE_HOOK, id, word(from), word(valueWei)) });
  }

  // After everything else that the call emitted.
  #replyWith(returned: Uint8Array): void {
    const { kind, id, sender, senderFamily, target, targetFamily, replySelector, reservedGas } = this.#message;
    if (kind !== 'call' || replySelector.every((byte) => byte === 0)) return;
    const result = returned.slice(0, RESULT_BYTES_MAX);
    const padding = new Uint8Array((32 - (result.length % 32)) % 32);
    const from = target as Address;
    const data = concatBytes(replySelector, id, word(from), word(96n), word(BigInt(result.length)), result, padding);
    const ends = { sender: MESSENGER, senderFamily: targetFamily, target: sender, targetFamily: senderFamily };
    this.#emit({ kind: 'reply', ...ends, gasLimit: reservedGas, data });
  }

  // What a message carries on of its cause is its origin and its price.
  #emit(fields: Pick<Message, 'kind' | 'sender' | 'senderFamily' | 'target' | 'targetFamily'> & Partial<Message>): void {
    const { id, originTransactionHash, originAddress, originFamily, gasPriceWei, baseFeePerGasWei, hop } = this.#message;
    this.emitted.push({
      id: idOf(id, this.emitted.length),
      originTransactionHash,
      emitterId: id,
      originAddress,
      originFamily,
      valueWei: 0n,
      data: NOTHING,
      gasLimit: 0,
      reservedGas: 0,
      replySelector: NO_SELECTOR,
      gasPriceWei,
      baseFeePerGasWei,
      travellingTipWei: 0n,
      creationNonce: 0n,
      accessList: [],
      hop: hop === LAST_HOP ? LAST_HOP : hop + 1,
      pointerFamily: undefined,
      ...fields,
    });
  }

  #hasCode(address: Address): boolean {
    const account = this.#family.account(address);
    return account !== undefined && isContract(account);
  }
}

function idOf(emitter: Uint8Array, index: number): Uint8Array {
  return sha256(emitter, Uint8Array.of(index >>> 24, index >>> 16, index >>> 8, index));
}

/** A word of call data. */
function word(value: Uint8Array | bigint): Uint8Array {
  return hex((typeof value === 'bigint' ? value.toString(16) : bytesToHex(value)).padStart(64, '0'));
}
