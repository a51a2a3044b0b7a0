// The differential twin: the same family rules on the library's own interpreter loop and Journal, over the same item state. For tests
// and the benchmark only: alternating reverts are quadratic in it, and jump analysis repeats for each frame.
import type { StateManagerInterface } from '@ethereumjs/common';
import { EVM, EVMError, EVMMockBlockchain, type EVMResult, type Message as EvmMessage } from '@ethereumjs/evm';
import { Account, KECCAK256_RLP, Address as LibraryAddress } from '@ethereumjs/util';
import { keccak256 } from '../../../src/core/crypto/keccak.ts';
import { nobleSecp256k1 } from '../../../src/core/crypto/secp256k1-noble.ts';
import { EMPTY_CODE_HASH } from '../../../src/core/execution/account-value.ts';
import { createdAddressOf } from '../../../src/core/execution/created-address.ts';
import { evmOptions } from '../../../src/core/execution/evm/ethereum-rules.ts';
import { type CallKind, foreignCallError, routeCall } from '../../../src/core/execution/family-rules.ts';
import type { CallOutcome, ItemCall, ItemExecutor } from '../../../src/core/execution/item-executor.ts';
import type { Checkpoint, ItemState } from '../../../src/core/execution/item-state.ts';
import { COINBASE_ADDRESS, MESSENGER_HEX } from '../../../src/core/execution/system-addresses.ts';
import { messageIdOf } from '../../../src/core/messaging/message-id.ts';
import {
  decodeSend,
  MALFORMED_SEND_ERROR,
  messengerCharge,
  reservedGasOf,
  type SendRequest,
  TOO_MANY_HOPS_ERROR,
  unreachableTargetError,
} from '../../../src/core/messaging/messenger-interface.ts';
import { bigintToBytes, bytesToBigint, bytesToHex, hex } from '../../../src/core/primitives/bytes.ts';
import { HOPS_MAX, POINTER_GAS, SELFDESTRUCT_FOREIGN_GAS, SEND_GAS } from '../../../src/core/protocol/gas.ts';
import { MESSAGE_DATA_BYTES_MAX } from '../../../src/core/protocol/limits.ts';

const EMPTY = new Uint8Array(0);
const STIPEND = 2_300n;
const NON_EMPTY_ROOT = new Uint8Array(32).fill(1);

/** Shows one item state to the library. Every `getAccount` gives a fresh object: the library changes it. */
class ItemStateManager {
  state!: ItemState;
  readonly #marks: Checkpoint[] = [];
  readonly originalStorageCache = {
    get: async (address: LibraryAddress, key: Uint8Array) =>
      this.#word(this.state.overlay.slot(this.entry(address), bytesToHex(key)).original),
    clear: () => undefined,
  };

  reset(state: ItemState): void {
    this.state = state;
    this.#marks.length = 0;
  }

  entry(address: LibraryAddress) {
    return this.state.account(address.bytes.slice(), bytesToHex(address.bytes));
  }

  async getAccount(address: LibraryAddress): Promise<Account | undefined> {
    const entry = this.entry(address);
    if (entry.value === undefined) return undefined;
    const { nonce, balanceWei, codeHash } = entry.value;
    return new Account(nonce, balanceWei, this.state.overlay.hasStorage(entry) ? NON_EMPTY_ROOT : KECCAK256_RLP, codeHash);
  }

  async putAccount(address: LibraryAddress, account?: Account): Promise<void> {
    const entry = this.entry(address);
    const { nonce = 0n, balance = 0n } = account ?? {};
    if (entry.value === undefined && nonce === 0n && balance === 0n) return;
    if (entry.value?.nonce === nonce && entry.value.balanceWei === balance) return;
    this.state.setAccount(entry, { nonce, balanceWei: balance, codeHash: entry.value?.codeHash ?? EMPTY_CODE_HASH });
  }

  async deleteAccount(address: LibraryAddress): Promise<void> {
    await this.putAccount(address, undefined);
  }

  async putCode(address: LibraryAddress, code: Uint8Array): Promise<void> {
    this.state.setCode(this.entry(address), keccak256(code), code);
  }

  async getCode(address: LibraryAddress): Promise<Uint8Array> {
    return this.state.overlay.code(this.entry(address));
  }

  async getStorage(address: LibraryAddress, key: Uint8Array): Promise<Uint8Array> {
    return this.#word(this.state.overlay.slot(this.entry(address), bytesToHex(key)).value);
  }

  async putStorage(address: LibraryAddress, key: Uint8Array, value: Uint8Array): Promise<void> {
    this.state.setSlot(this.state.overlay.slot(this.entry(address), bytesToHex(key)), bytesToBigint(value));
  }

  async clearStorage(): Promise<void> {}

  async checkpoint(): Promise<void> {
    this.#marks.push(this.state.checkpoint());
  }

  async commit(): Promise<void> {
    this.#marks.pop();
  }

  async revert(): Promise<void> {
    this.state.revert(this.#marks.pop() as Checkpoint);
  }

  #word(value: bigint): Uint8Array {
    return value === 0n ? EMPTY : bigintToBytes(value, 32);
  }
}

class TwinEvm extends EVM {
  readonly views: ItemStateManager;
  item!: ItemCall;

  constructor(evmChainId: number, views: ItemStateManager, evmRef: { current?: TwinEvm }) {
    super({
      ...evmOptions(evmChainId, nobleSecp256k1),
      stateManager: views as unknown as StateManagerInterface,
      customOpcodes: [selfDestructOpcode(evmRef), callOpcode(evmChainId)],
    });
    this.views = views;
    this.blockchain = Object.assign(new EVMMockBlockchain(), {
      getBlock: async (height: number) => ({ hash: () => this.item.context.blockHash(height) ?? new Uint8Array(32) }),
    });
    evmRef.current = this;
  }

  protected override async _reduceSenderBalance(account: Account, message: EvmMessage): Promise<void> {
    if (message.depth > 0) await super._reduceSenderBalance(account, message);
  }

  protected override async _generateAddress(message: EvmMessage): Promise<LibraryAddress> {
    if (message.depth > 0) return super._generateAddress(message);
    return new LibraryAddress(createdAddressOf(this.item.message.sender, this.item.message.creationNonce));
  }

  protected override async _executeCreate(message: EvmMessage): Promise<EVMResult> {
    const { bytes } = await this._generateAddress(message);
    this.item.state.markCreated(bytes, bytesToHex(bytes));
    return super._executeCreate(message);
  }

  protected override async _executeCall(message: EvmMessage & { to: LibraryAddress }): Promise<EVMResult> {
    const { state } = this.item;
    const callee = message.codeAddress.bytes.slice();
    const calleeHex = bytesToHex(callee);
    const kind = kindOf(message);
    const hasValue = message.value !== 0n && kind !== 'delegatecall';
    const route =
      message.depth === 0
        ? 'local'
        : routeCall({
            kind,
            isStaticFrame: message.isStatic,
            hasValue,
            hasData: message.data.length > 0,
            isPrecompile: this.getPrecompile(message.codeAddress) !== undefined,
            isMessenger: calleeHex === MESSENGER_HEX,
            isOfFamily: state.account(callee, calleeHex).value !== undefined || calleeHex === state.family.familyHex,
          });
    if (route === 'local') return super._executeCall(message);
    const executionGasUsed = hasValue ? STIPEND : 0n;
    const failed = (returnValue: Uint8Array): EVMResult => ({
      execResult: { executionGasUsed, returnValue, exceptionError: new EVMError(EVMError.errorMessages.REVERT) },
    });
    if (route === 'foreign-call') return failed(foreignCallError(callee));
    if (route === 'messenger') {
      const answer = this.#sendByMessenger(message);
      if (!answer.success) return failed(answer.output);
      return { execResult: { executionGasUsed, returnValue: answer.output, gasRefund: message.gasRefund } };
    }
    if (route === 'send') {
      if (this.item.message.hop >= HOPS_MAX) return failed(EMPTY);
      const from = message.caller.bytes.slice();
      state.addBalance(state.account(from, bytesToHex(from)), -message.value);
      state.emit({ kind: 'value-send', from, to: callee, valueWei: message.value });
    }
    return { execResult: { executionGasUsed, returnValue: EMPTY, gasRefund: message.gasRefund } };
  }

  #sendByMessenger(message: EvmMessage): { readonly success: boolean; readonly output: Uint8Array } {
    const { state, message: cause } = this.item;
    const request = decodeSend(message.data);
    if (!request.ok) return { success: false, output: MALFORMED_SEND_ERROR };
    const { to, gas, replySelector, data } = request.value;
    const toHex = bytesToHex(to);
    if (this.getPrecompile(new LibraryAddress(to)) !== undefined || toHex === MESSENGER_HEX)
      return { success: false, output: unreachableTargetError(to) };
    if (cause.hop >= HOPS_MAX) return { success: false, output: TOO_MANY_HOPS_ERROR };
    const from = message.caller.bytes.slice();
    const id = messageIdOf(cause.id, state.outbox.length);
    state.addBalance(state.account(from, bytesToHex(from)), -message.value);
    const isInSenderFamily = toHex === state.family.familyHex || state.account(to, toHex).value !== undefined;
    const [gasLimit, reservedGas] = [Number(gas), reservedGasOf(request.value)];
    state.emit({ kind: 'call', from, to, isInSenderFamily, valueWei: message.value, data, gasLimit, reservedGas, replySelector });
    return { success: true, output: id };
  }
}

function kindOf(message: EvmMessage): CallKind {
  if (message.delegatecall) return 'delegatecall';
  if (message._codeAddress !== undefined && !message._codeAddress.equals(message.to as LibraryAddress)) return 'callcode';
  return 'call';
}

type LibraryRunState = {
  readonly stack: { pop(): bigint; peek(count: number): bigint[] };
  readonly env: { readonly address: LibraryAddress; readonly isStatic: boolean };
  readonly interpreter: {
    readonly journal: { isWarmedAddress(address: Uint8Array): boolean; addWarmedAddress(address: Uint8Array): void };
  };
};

type LibraryCallState = LibraryRunState & {
  readonly memory: { read(offset: number, size: number): Uint8Array };
};

/** The library's own CALL; one to the messenger pays the messenger's charge in the place of SEND_GAS. */
function callOpcode(evmChainId: number) {
  const library = new LibraryOpcodes(evmOptions(evmChainId, nobleSecp256k1));
  const { gasFunction, logicFunction, baseFee } = library.callOpcode();
  return {
    opcode: 0xf1,
    opcodeName: 'CALL',
    baseFee,
    async gasFunction(runState: never, gas: bigint, common: never): Promise<bigint> {
      const request = messengerRequestOf(runState);
      const [, , value] = (runState as LibraryCallState).stack.peek(7);
      const isMessenger = isCallOfMessenger(runState);
      const other = (request === undefined ? 0n : BigInt(messengerCharge(request))) - (isMessenger && value !== 0n ? BigInt(SEND_GAS) : 0n);
      return gasFunction(runState, gas + other, common);
    },
    logicFunction,
  };
}

function isCallOfMessenger(run: LibraryCallState): boolean {
  const [, to] = run.stack.peek(7);
  return (((to as bigint) & ((1n << 160n) - 1n)) as bigint) === BigInt(`0x${MESSENGER_HEX}`);
}

function messengerRequestOf(run: LibraryCallState): SendRequest | undefined {
  const [, , , offset, length] = run.stack.peek(7) as [bigint, bigint, bigint, bigint, bigint];
  // Beyond these it is malformed, or its memory cannot be paid for.
  const isReadable = length <= BigInt(2 * MESSAGE_DATA_BYTES_MAX) && offset < 2n ** 24n;
  if (!isCallOfMessenger(run) || run.env.isStatic || !isReadable) return undefined;
  const request = decodeSend(length === 0n ? EMPTY : run.memory.read(Number(offset), Number(length)).slice());
  return request.ok ? request.value : undefined;
}

type LibraryOpcode = (runState: never, common: never) => void | Promise<void>;
type LibraryGas = (runState: never, gas: bigint, common: never) => Promise<bigint>;

class LibraryOpcodes extends EVM {
  callOpcode(): { readonly gasFunction: LibraryGas; readonly logicFunction: LibraryOpcode; readonly baseFee: number } {
    return {
      gasFunction: this._dynamicGasHandlers.get(0xf1) as unknown as LibraryGas,
      logicFunction: this._handlers.get(0xf1) as unknown as LibraryOpcode,
      baseFee: this._opcodes.get(0xf1)?.fee as number,
    };
  }
}

function selfDestructOpcode(ref: { current?: TwinEvm }) {
  const targetOf = (word: bigint) => hex((word & ((1n << 160n) - 1n)).toString(16).padStart(40, '0'));
  const parties = (runState: LibraryRunState, word: bigint) => {
    const { state } = (ref.current as TwinEvm).item;
    const from = runState.env.address.bytes.slice();
    const to = targetOf(word);
    return { state, from: state.account(from, bytesToHex(from)), to: state.account(to, bytesToHex(to)) };
  };
  return {
    opcode: 0xff,
    opcodeName: 'SELFDESTRUCT',
    baseFee: 5_000,
    async gasFunction(runState: unknown, gas: bigint): Promise<bigint> {
      const run = runState as LibraryRunState;
      if (run.env.isStatic) throw new EVMError(EVMError.errorMessages.STATIC_STATE_CHANGE);
      const { from, to } = parties(run, run.stack.peek(1)[0] as bigint);
      let total = gas;
      if ((from.value?.balanceWei ?? 0n) > 0n && to.value === undefined) total += BigInt(SELFDESTRUCT_FOREIGN_GAS);
      const { journal } = run.interpreter;
      if (!journal.isWarmedAddress(to.address)) total += 2_600n;
      journal.addWarmedAddress(to.address);
      return total;
    },
    async logicFunction(runState: unknown): Promise<void> {
      const run = runState as LibraryRunState;
      const { state, from, to } = parties(run, run.stack.pop());
      const balanceWei = from.value?.balanceWei ?? 0n;
      const isOwn = to.value !== undefined || to.addressHex === state.family.familyHex;
      if (balanceWei > 0n && !isOwn && (ref.current as TwinEvm).item.message.hop >= HOPS_MAX) {
        throw new EVMError(EVMError.errorMessages.REVERT);
      }
      const isCreatedHere = state.created.has(from.addressHex);
      if (to !== from) {
        state.addBalance(from, -balanceWei);
        if (isOwn) state.addBalance(to, balanceWei);
        else if (balanceWei > 0n) state.emit({ kind: 'credit', from: from.address, to: to.address, valueWei: balanceWei });
      } else if (isCreatedHere) {
        state.burn(from);
      }
      if (isCreatedHere) state.markDestroyed(from.addressHex);
      throw new EVMError(EVMError.errorMessages.STOP);
    },
  };
}

/** The twin, behind the port of the own loop. */
export function createStockLoopExecutor(evmChainId: number): ItemExecutor {
  const views = new ItemStateManager();
  const evm = new TwinEvm(evmChainId, views, {});
  const isPrecompile = (addressHex: string) => evm.precompiles.get(addressHex) !== undefined;
  return { name: 'stock-loop', isPrecompile, execute: (item) => executeOnLibrary(evm, views, item) };
}

async function executeOnLibrary(evm: TwinEvm, views: ItemStateManager, item: ItemCall): Promise<CallOutcome> {
  const { message, state } = item;
  views.reset(state);
  evm.item = item;
  warmUp(evm, item);
  const creationGas = message.target === undefined ? POINTER_GAS : 0;
  const failed: CallOutcome = { outcome: 'failure', gasUsed: message.gasLimit, returnData: EMPTY, createdAddress: undefined };
  if (message.gasLimit < creationGas) return failed;
  const { execResult, createdAddress } = await evm.runCall({
    ...(message.target === undefined ? {} : { to: new LibraryAddress(message.target) }),
    caller: new LibraryAddress(message.sender),
    origin: new LibraryAddress(message.originAddress),
    data: message.data,
    value: message.valueWei,
    gasLimit: BigInt(message.gasLimit - creationGas),
    gasPrice: message.gasPriceWei,
    skipNonceIncrement: true,
    depth: 0,
    block: blockOf(item),
  });
  const error = execResult.exceptionError?.error;
  if (error !== undefined) {
    // The library calls some failures of precompiles a revert, at the cost of all gas; nobody can tell them from a failure.
    const isPrecompile = message.target !== undefined && evm.precompiles.get(bytesToHex(message.target)) !== undefined;
    const outcome = error === EVMError.errorMessages.REVERT && !isPrecompile ? 'revert' : 'failure';
    if (outcome === 'failure') return failed;
    const returnData = execResult.returnValue.slice();
    return { outcome, gasUsed: Number(execResult.executionGasUsed) + creationGas, returnData, createdAddress: undefined };
  }
  for (const [address, topics, data] of execResult.logs ?? []) state.addLog({ address, topics, data });
  return {
    outcome: 'success',
    gasUsed: Number(execResult.executionGasUsed) + creationGas,
    returnData: execResult.returnValue.slice(),
    createdAddress: message.target === undefined ? createdAddress?.bytes : undefined,
  };
}

function warmUp(evm: TwinEvm, { message }: ItemCall): void {
  const { journal } = evm;
  journal.cleanJournal();
  evm.transientStorage.clear();
  const warm = (address: Uint8Array) => journal.addAlwaysWarmAddress(bytesToHex(address));
  for (const [addressHex, run] of evm.precompiles) if (run !== undefined) journal.addAlwaysWarmAddress(addressHex);
  warm(COINBASE_ADDRESS);
  warm(message.sender);
  if (message.target !== undefined) warm(message.target);
  for (const { address, storageKeys } of message.accessList) {
    warm(address);
    for (const key of storageKeys) journal.addAlwaysWarmSlot(bytesToHex(address), bytesToHex(key));
  }
}

function blockOf({ message, context, gasLimitSeenByCode }: ItemCall) {
  return {
    header: {
      number: BigInt(context.referenceHeight),
      coinbase: new LibraryAddress(COINBASE_ADDRESS),
      timestamp: BigInt(Math.floor(context.referenceTimestampMs / 1000)),
      difficulty: 0n,
      prevRandao: context.prevRandao,
      gasLimit: BigInt(gasLimitSeenByCode),
      baseFeePerGas: message.baseFeePerGasWei,
      getBlobGasPrice: () => 1n,
    },
  };
}
