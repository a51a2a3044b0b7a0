// Executed blocks at random, for the tests of the view: transactions that are truly encoded, and what messages could have come of them.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { messageIdOf } from '../../../src/core/messaging/message-id.ts';
import { encodeRlp, integerToRlp, type RlpItem } from '../../../src/core/primitives/rlp.ts';
import { parseTransaction, withSender } from '../../../src/core/protocol/decode-transaction.ts';
import type { Log, Message, MessageKind, MessageResult } from '../../../src/core/protocol/message.ts';
import type { Transaction } from '../../../src/core/protocol/transaction.ts';
import {
  type ExecutionToShow,
  type ShownExecution,
  showExecution,
  type WholeExecution,
  withCharges,
} from '../../../src/core/view/shown-execution.ts';

export const CHAIN_ID = 1_131_376_752;

export const address = fc.uint8Array({ minLength: 20, maxLength: 20 });
export const hash = fc.uint8Array({ minLength: 32, maxLength: 32 });
const integer = fc.bigInt({ min: 0n, max: 2n ** 80n });
/** r and s in their range; the view never recovers a sender. */
const scalar = fc.bigInt({ min: 1n, max: 2n ** 250n });
const data = fc.uint8Array({ maxLength: 200 });

const log: fc.Arbitrary<Log> = fc.record({ address, topics: fc.array(hash, { maxLength: 4 }), data }, { noNullPrototype: true });

const fields = fc.record({
  type: fc.constantFrom(0, 1, 2),
  nonce: fc.bigInt({ min: 0n, max: 2n ** 63n }),
  tip: integer,
  cap: integer,
  gasLimit: fc.integer({ min: 21_000, max: 8_000_000 }),
  to: fc.option(address, { nil: undefined }),
  value: integer,
  data,
  accessList: fc.array(fc.record({ address, storageKeys: fc.array(hash, { maxLength: 3 }) }), { maxLength: 3 }),
  yParity: fc.constantFrom(0, 1),
  r: scalar,
  s: scalar,
});

/** A transaction of type 0, 1 or 2 that decodes; its sender is made up. */
export const transaction: fc.Arbitrary<Transaction> = fc.tuple(fields, address).map(([f, sender]) => {
  const to = f.to ?? new Uint8Array(0);
  const maxFee = f.tip + f.cap;
  const accessList = f.accessList.map((entry): RlpItem => [entry.address, entry.storageKeys]);
  const call: RlpItem[] = [integerToRlp(f.gasLimit), to, integerToRlp(f.value), f.data];
  const signature = [integerToRlp(f.r), integerToRlp(f.s)];
  const nonce = integerToRlp(f.nonce);
  const chainId = integerToRlp(CHAIN_ID);
  const raw =
    f.type === 0
      ? encodeRlp([nonce, integerToRlp(maxFee), ...call, integerToRlp(2 * CHAIN_ID + 35 + f.yParity), ...signature])
      : typed(
          f.type,
          f.type === 1
            ? [chainId, nonce, integerToRlp(maxFee), ...call, accessList, integerToRlp(f.yParity), ...signature]
            : [chainId, nonce, integerToRlp(f.tip), integerToRlp(maxFee), ...call, accessList, integerToRlp(f.yParity), ...signature],
        );
  const parsed = parseTransaction(raw, CHAIN_ID);
  if (!parsed.ok) throw new Error(`the fixture's transaction is refused: ${parsed.reason} ${parsed.detail}`);
  return withSender(parsed.value, sender);
});

/** Kinds of messages that code and the protocol emit, without pointers. The format's pin knows the first four. */
export const EMITTED_KINDS: readonly MessageKind[] = ['value-send', 'credit', 'bounce', 'sweep', 'call', 'reply'];

const resultOf = (kinds: readonly MessageKind[]) =>
  fc.record({
    outcome: fc.constantFrom<MessageResult['outcome']>('success', 'revert', 'failure'),
    logs: fc.array(log, { maxLength: 4 }),
    executionGasUsed: fc.integer({ min: 0, max: 8_000_000 }),
    createdAddress: fc.option(address, { nil: undefined }),
    isForwarded: fc.boolean(),
    hasPointer: fc.boolean(),
    sends: fc.array(fc.record({ kind: fc.constantFrom(...kinds), target: address, value: integer }), {
      maxLength: 2,
    }),
  });

/** A block of up to `transactionsMax` transactions: plain transfers, forwards, sends, pointers, failures. */
export function execution(transactionsMax: number, kinds: readonly MessageKind[] = EMITTED_KINDS): fc.Arbitrary<ExecutionToShow> {
  return fc
    .uniqueArray(transaction, { maxLength: transactionsMax, selector: (one) => one.hashHex })
    .chain((transactions) =>
      fc
        .array(resultOf(kinds), { minLength: transactions.length, maxLength: transactions.length })
        .map((results) => executionOf(transactions, results)),
    );
}

type ResultChoice = ReturnType<typeof resultOf> extends fc.Arbitrary<infer T> ? T : never;

function executionOf(transactions: readonly Transaction[], choices: readonly ResultChoice[]): ExecutionToShow {
  const wave1: MessageResult[] = [];
  const wave2: MessageResult[] = [];
  transactions.forEach((one, index) => {
    const choice = choices[index] as ResultChoice;
    const main = mainCall(one, choice.isForwarded ? 1 : 0);
    if (choice.isForwarded && one.to !== undefined)
      wave1.push({ ...plainResult(mainCall(one, 0), 1), outcome: 'forwarded', emitted: [main.id] });
    const emitted: MessageResult[] = choice.sends.map((send, position) =>
      plainResult(
        {
          ...main,
          kind: send.kind,
          id: messageIdOf(main.id, position),
          emitterId: main.id,
          target: send.target,
          targetFamily: send.target,
          valueWei: send.value,
        },
        2,
      ),
    );
    if (choice.hasPointer)
      emitted.push(
        plainResult({ ...main, kind: 'pointer', id: messageIdOf(main.id, 9), emitterId: main.id, pointerFamily: main.sender }, 2),
      );
    (choice.isForwarded ? wave2 : wave1).push({
      message: main,
      outcome: choice.outcome,
      logs: choice.logs,
      executionGasUsed: choice.executionGasUsed,
      createdAddress: choice.createdAddress,
      returnData: new Uint8Array(0),
      wave: choice.isForwarded ? 2 : 1,
      emitted: emitted.map((one) => one.message.id),
    });
    wave2.push(...emitted);
  });
  return {
    senderParts: transactions.map((one) => ({ transaction: one, effectiveGasPriceWei: one.maxFeePerGasWei, baseFeePerGasWei: 7n })),
    messages: [...wave1, ...wave2],
  };
}

/** What clients are shown of an execution all of whose transactions were charged in it. */
export function shown(executed: ExecutionToShow): ShownExecution & WholeExecution {
  const execution = showExecution(executed);
  return { ...execution, ...withCharges(execution, () => assert.fail('all is charged here')) };
}

/** The main call of a transaction: at its natural place, or (hop 1) forwarded. */
export function mainCall(one: Transaction, hop: number): Message {
  return {
    kind: 'main-call',
    id: messageIdOf(one.hash, 0),
    originTransactionHash: one.hash,
    emitterId: one.hash,
    sender: one.sender,
    senderFamily: one.sender,
    originAddress: one.sender,
    originFamily: one.sender,
    target: one.to,
    targetFamily: hop === 1 || one.to === undefined ? one.sender : one.to,
    valueWei: one.valueWei,
    data: one.data,
    gasLimit: one.gasLimit - 21_000,
    reservedGas: 0,
    replySelector: new Uint8Array(4),
    gasPriceWei: one.maxFeePerGasWei,
    baseFeePerGasWei: 7n,
    travellingTipWei: 0n,
    creationNonce: one.nonce,
    accessList: one.accessList,
    hop,
    pointerFamily: undefined,
  };
}

/** What becomes of a message that does nothing. */
export function plainResult(message: Message, wave: number): MessageResult {
  return {
    message,
    outcome: 'success',
    logs: [],
    executionGasUsed: 0,
    createdAddress: undefined,
    returnData: new Uint8Array(0),
    wave,
    emitted: [],
  };
}

function typed(type: number, payload: RlpItem): Uint8Array {
  return Uint8Array.of(type, ...encodeRlp(payload));
}

/** An anchor at random. */
export const anchor = fc.record({
  number: fc.integer({ min: 1, max: 2 ** 40 }),
  hash,
  timestampMs: fc.integer({ min: 0, max: 2 ** 45 }),
  prevRandao: hash,
  worldRoot: hash,
  baseFeePerGasWei: integer,
});
