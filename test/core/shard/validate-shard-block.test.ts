// A block is wrong in exactly one thing, and that is what it is refused for.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { initialiseKeccak } from '../../../src/core/crypto/keccak.ts';
import { sha256 } from '../../../src/core/crypto/sha256.ts';
import { EMPTY_BODY } from '../../../src/core/protocol/block.ts';
import { UNANCHORED_BLOCKS_MAX } from '../../../src/core/protocol/limits.ts';
import type { BeaconView } from '../../../src/core/shard/beacon-view.ts';
import { inboxGasOf } from '../../../src/core/shard/shard-load.ts';
import { parentOfBlock } from '../../../src/core/shard/shard-parent.ts';
import { type ShardBlockInput, type ShardBlockRefusal, validateShardBlock } from '../../../src/core/shard/validate-shard-block.ts';
import { GWEI, PARAMETERS, transactionOf } from '../execution/block-setup.ts';
import { MemoryState } from '../execution/memory-state.ts';
import {
  buildInput,
  call,
  FAR_CONTRACT,
  inputWith,
  NEAR_CONTRACT,
  NEIGHBOUR,
  NO_CONTRACT,
  OTHER,
  proofOf,
  reasonOf,
  SENDER,
  SHARD,
  STRANGER,
  transfer,
  UNFUNDED,
  viewWith,
  viewWithTerms,
  withBody,
  withHeader,
  withParent,
} from './shard-setup.ts';

const OTHER_HASH = sha256(Uint8Array.of(99));

/** Inbox, transfers and a call with a proof. */
const full = (): ShardBlockInput => inputWith([transfer(0), call(1, FAR_CONTRACT)]);

function judged(input: ShardBlockInput): Extract<ReturnType<typeof validateShardBlock>, { ok: true }>['value'] {
  const verdict = validateShardBlock(input);
  assert.ok(verdict.ok, verdict.ok ? '' : `${verdict.reason} ${verdict.detail}`);
  return verdict.value;
}

function largest(input: ShardBlockInput): number {
  return PARAMETERS.blockGasLimit - inboxGasOf(judged(input).inbox.messages);
}

describe('a block of a shard', () => {
  before(() => initialiseKeccak());

  it('passes as it is built', () => {
    const { inbox, closes, rationUsed, backlog } = judged(full());
    assert.equal(inbox.messages.length, 4);
    assert.equal(closes, false);
    assert.deepEqual([...rationUsed], [[OTHER, 2_000 + 2_000 + 100_000]]);
    assert.equal(backlog, 0);
  });

  const wrongHeaders: readonly [ShardBlockRefusal, Parameters<typeof withHeader>[1]][] = [
    ['wrong-parent', () => ({ parentHash: OTHER_HASH })],
    ['wrong-height', ({ height }) => ({ height: height + 1 })],
    ['wrong-height', ({ height }) => ({ height: height - 1 })],
    ['timestamp-too-early', () => ({ timestampMs: 1_699_999_999_000 + PARAMETERS.blockIntervalMsMin - 1 })],
    ['wrong-beacon-reference', ({ beaconReference }) => ({ beaconReference: { ...beaconReference, height: 31 } })],
    ['wrong-beacon-reference', ({ beaconReference }) => ({ beaconReference: { ...beaconReference, hash: OTHER_HASH } })],
    ['reference-before-parent', ({ beaconReference }) => ({ beaconReference: { ...beaconReference, height: 24 } })],
    ['wrong-parent-execution', ({ parentExecution }) => ({ parentExecution: { ...parentExecution, stateRoot: OTHER_HASH } })],
    ['wrong-post-state-root', () => ({ postStateRoot: OTHER_HASH })],
    ['wrong-body-root', () => ({ bodyRoot: OTHER_HASH })],
    ['wrong-gas-bought', ({ gasBought }) => ({ gasBought: gasBought - 1 })],
    ['wrong-base-fee', ({ baseFeePerGasWei }) => ({ baseFeePerGasWei: baseFeePerGasWei + 1n })],
  ];
  for (const [reason, wrong] of wrongHeaders) {
    it(`is refused with ${reason}: ${wrong.toString().replace(/^.*=> /s, '')}`, () => {
      assert.equal(reasonOf(withHeader(full(), wrong)), reason);
    });
  }

  for (const part of ['crosslinks', 'evidence'] as const) {
    it(`has no ${part}`, () => assert.equal(reasonOf(withBody(full(), { [part]: [Uint8Array.of(1)] })), 'body-part-not-permitted'));
  }

  it('stays within the bytes of a body, by one', () => {
    const bytes =
      6 * 4 +
      Object.values(full().block.body)
        .flat()
        .reduce((sum, { length }) => sum + 4 + length, 0);
    assert.equal(reasonOf({ ...full(), parameters: { ...PARAMETERS, bodyBytesMax: bytes } }), undefined);
    assert.equal(reasonOf({ ...full(), parameters: { ...PARAMETERS, bodyBytesMax: bytes - 1 } }), 'body-too-large');
  });

  it('has messages of other shards as the lanes have them, within their share', () => {
    const [first, second, ...rest] = full().block.body.inbox as [Uint8Array, Uint8Array];
    assert.equal(reasonOf(withBody(full(), { inbox: [second, first, ...rest] })), 'item-not-next');
    assert.equal(reasonOf(withBody(full(), { inbox: [first.subarray(1)] })), 'malformed-item');
    assert.equal(reasonOf({ ...full(), parameters: { ...PARAMETERS, inboxGasShare: 23_999 } }), 'inbox-too-heavy');
  });

  it('buys no more gas than the inbox leaves of the block, by one unit', () => {
    const { gasBought } = full().block.header;
    const inboxGas = PARAMETERS.blockGasLimit - largest(full());
    assert.equal(inboxGas, 3 * 7_000 + 3_000);
    const limited = (blockGasLimit: number) => reasonOf({ ...full(), parameters: { ...PARAMETERS, blockGasLimit } });
    assert.equal(limited(gasBought + inboxGas - 1), 'too-much-gas');
    // The price depends on the limit as well, and is looked at later.
    assert.equal(limited(gasBought + inboxGas), 'wrong-base-fee');
  });

  it('sets a price that follows from own gas, inbox and backlog', () => {
    const heavy = { ...PARAMETERS, blockGasLimit: 40_000, transactionGasLimitMax: 30_000 };
    const { baseFeePerGasWei: before } = inputWith().parent;
    const priceOf = (change: Parameters<typeof inputWith>[1], transactions = [transfer(0)]) =>
      inputWith(transactions, { parameters: heavy, nowMs: 0, ...change }).block.header.baseFeePerGasWei;
    const onlyOwn = priceOf({ view: viewWith({ lanes: { sources: [] } }) });
    assert.ok(onlyOwn > before, 'own gas');
    assert.ok(priceOf({}, []) > before, 'inbox');
    // With nothing held all of it stays behind: an eighth of 24,000 beside 21,000.
    assert.ok(priceOf({ held: new Map() }) > onlyOwn, 'backlog');
  });

  it('is as far above the last anchored header as four crosslinks reach, by one block', () => {
    const input = inputWith();
    const { height } = input.block.header;
    const anchoredAt = (anchoredHeight: number, change: Partial<BeaconView> = {}): ShardBlockInput => {
      const view = viewWith(change);
      const terms = view.shards.get(SHARD);
      assert.ok(terms !== undefined);
      return { ...input, view: { ...view, shards: new Map([...view.shards, [SHARD, { ...terms, anchoredHeight }]]) } };
    };
    assert.equal(reasonOf(anchoredAt(height - UNANCHORED_BLOCKS_MAX)), undefined);
    assert.equal(reasonOf(anchoredAt(height - UNANCHORED_BLOCKS_MAX - 1)), 'too-far-ahead');
    const { view } = anchoredAt(height - UNANCHORED_BLOCKS_MAX - 1);
    assert.throws(() => inputWith([], { view }), /a leader waits where a block would be too far ahead/);
    const closing = anchoredAt(height - UNANCHORED_BLOCKS_MAX - 1, { epoch: 4 });
    assert.notEqual(reasonOf(closing), 'too-far-ahead', 'a closing block may always come');
    assert.equal(inputWith([], { view: closing.view }).block.body.transactions.length, 0);
  });

  it('takes transactions of its own senders only', () => {
    const foreign = transactionOf({ sender: STRANGER, to: SENDER });
    assert.equal(reasonOf(withBody(inputWith(), {}, [foreign])), 'foreign-sender');
  });
});

describe('the end of an instance', () => {
  before(() => initialiseKeccak());
  for (const epoch of [4, 9]) {
    it(`is the first block whose reference is later, here of epoch ${epoch}: without a body, with cursors and price like any other`, () => {
      const view = viewWith({ epoch });
      const closing = inputWith([transfer(0)], { view });
      assert.deepEqual(closing.block.body, EMPTY_BODY);
      const { closes, inbox } = judged(closing);
      assert.equal(closes, true);
      assert.deepEqual(
        inbox.cursors.map(({ source, height, index }) => [source, height, index]),
        [
          [SHARD, 21, 0],
          [OTHER, 4, 0],
        ],
      );
      assert.equal(parentOfBlock(closing.block, judged(closing)).closes, true);
      assert.equal(reasonOf({ ...full(), view }), 'closing-with-body');
    });
  }

  it('has nothing above it', () => {
    assert.equal(reasonOf(withParent(full(), { closes: true })), 'parent-closed');
    assert.throws(() => inputWith([], { parent: { ...buildInput().parent, closes: true } }), /invariant/);
  });

  it('does not come while the reference is of its epoch', () => assert.equal(judged(inputWith()).closes, false));
});

describe('the reference', () => {
  before(() => initialiseKeccak());
  it('may be that of the parent or of the record, and no earlier one', () => {
    const view = viewWith({ height: 25 });
    assert.equal(reasonOf(inputWith([], { view })), undefined);
    assert.equal(reasonOf(withParent(inputWith([], { view }), { referenceHeight: 26 })), 'reference-before-parent');
  });
});

describe('the price of a transaction', () => {
  before(() => initialiseKeccak());
  const offering = (maxFeePerGasWei: bigint, to = STRANGER) => transfer(0, { to, maxFeePerGasWei, maxPriorityFeePerGasWei: 0n });

  it('is at least that of its own shard', () => {
    const dear = inputWith([offering(GWEI)], { parent: { ...buildInput().parent, baseFeePerGasWei: GWEI } });
    assert.equal(dear.block.transactions.length, 1);
    const tooDear = inputWith([offering(GWEI - 1n)], { parent: { ...buildInput().parent, baseFeePerGasWei: GWEI } });
    assert.equal(tooDear.block.transactions.length, 0, 'a leader leaves it out');
    const cheap = inputWith([offering(GWEI - 1n)]);
    const { parent } = inputWith([], { parent: { ...buildInput().parent, baseFeePerGasWei: GWEI } });
    const price = withHeader({ ...cheap, parent }, () => ({ baseFeePerGasWei: dear.block.header.baseFeePerGasWei }));
    assert.equal(reasonOf(price), 'not-executable');
  });

  it('and of the shard of its target, at the reference', () => {
    const view = viewWithTerms({ baseFeePerGasWei: GWEI });
    assert.equal(reasonOf({ ...inputWith([offering(GWEI)]), view }), undefined);
    assert.equal(reasonOf({ ...inputWith([offering(GWEI - 1n)]), view }), 'not-executable');
    assert.equal(reasonOf({ ...inputWith([offering(GWEI - 1n, NEIGHBOUR)]), view }), undefined, 'nothing goes there');
    assert.equal(
      judged({ ...inputWith([offering(GWEI)]), view })
        .targets.values()
        .next().value?.baseFeePerGasWei,
      GWEI,
    );
  });

  it('follows a pointer that the body proves, there and back', () => {
    const view = viewWithTerms({ baseFeePerGasWei: 4n * GWEI });
    assert.equal(reasonOf({ ...inputWith([call(0, FAR_CONTRACT)]), view }), 'not-executable');
    assert.equal(reasonOf({ ...inputWith([call(0, NEAR_CONTRACT)]), view }), undefined, 'its family is here');
    assert.equal(
      reasonOf({ ...inputWith([transfer(0, { to: NEAR_CONTRACT })]), view }),
      'not-executable',
      'without data it goes by way of there',
    );
  });
});

describe('rations', () => {
  before(() => initialiseKeccak());
  const most = 8 * PARAMETERS.inboxGasShare;
  /** Two sources are listed, and it is the other's turn; a transfer weighs 2,000. */
  const viewFor = (weight: number) => {
    const view = viewWithTerms({ backlog: most - 2 * weight });
    return { ...view, lanes: { sources: [...view.lanes.sources].reverse() } };
  };

  it('bound the weight that new transactions send to another shard, by one unit', () => {
    const block = inputWith([transfer(0), call(1, FAR_CONTRACT)]);
    assert.equal(reasonOf({ ...block, view: viewFor(104_000) }), undefined);
    assert.equal(reasonOf({ ...block, view: viewFor(103_999) }), 'ration-exceeded');
  });

  it('are shared among all listed sources', () => {
    const [first, ...others] = viewFor(2_000).lanes.sources;
    assert.ok(first !== undefined);
    const third = { ...first, shard: 5 };
    const view = { ...viewFor(2_000), lanes: { sources: [first, ...others, third] } };
    assert.equal(inputWith([transfer(0)], { view: viewFor(2_000) }).block.transactions.length, 1);
    assert.equal(inputWith([transfer(0)], { view }).block.transactions.length, 0);
  });

  it('have room for the largest transaction where it is the source’s turn, as far as the other’s queue has it', () => {
    const block = inputWith([transfer(0), call(1, FAR_CONTRACT)]);
    const turnWith = (room: number) => ({ ...block, view: viewWithTerms({ backlog: most - room }) });
    assert.equal(reasonOf(turnWith(104_000)), undefined);
    assert.equal(reasonOf(turnWith(103_999)), 'ration-exceeded');
  });

  it('are for all blocks with one reference together, and new with the next', () => {
    const block = inputWith([transfer(0)], { view: viewFor(4_000) });
    const used = (weight: number, referenceHeight = 30) => withParent(block, { referenceHeight, rationUsed: new Map([[OTHER, weight]]) });
    assert.deepEqual([...judged(used(2_000)).rationUsed], [[OTHER, 4_000]]);
    assert.equal(reasonOf(used(2_001)), 'ration-exceeded');
    assert.deepEqual([...judged(used(2_001, 29)).rationUsed], [[OTHER, 2_000]]);
    const child = parentOfBlock(block.block, judged(used(2_000)));
    assert.deepEqual([...child.rationUsed], [[OTHER, 4_000]]);
    assert.equal(child.referenceHeight, 30);
  });

  it('are not for what stays in the shard', () => {
    const full = { anchoredHeight: 20, baseFeePerGasWei: 0n, backlog: most };
    const view = { ...viewFor(0), shards: new Map([SHARD, OTHER].map((shard) => [shard, full])) };
    const stays = { ...inputWith([transfer(0, { to: NEIGHBOUR }), call(1, NEAR_CONTRACT)]), view };
    assert.equal(stays.block.transactions.length, 2);
    assert.deepEqual([...judged(stays).rationUsed], []);
  });
});

describe('pointer proofs', () => {
  before(() => initialiseKeccak());
  const calls = (): ShardBlockInput => inputWith([call(0, FAR_CONTRACT), call(1, NO_CONTRACT), call(2, FAR_CONTRACT)]);
  const withProofs = (pointerProofs: Uint8Array[]): ShardBlockRefusal | undefined => reasonOf(withBody(calls(), { pointerProofs }));

  it('come with calls to other shards, one for each target, of a pointer or of none', () => {
    assert.equal(calls().block.transactions.length, 3);
    assert.equal(calls().block.body.pointerProofs.length, 2);
    assert.equal(reasonOf(calls()), undefined);
  });

  it('may be against the world at the end of any epoch', () => {
    const change = { pointerProofOf: (target: Uint8Array) => proofOf(target, target === FAR_CONTRACT ? 2 : 0) };
    assert.equal(reasonOf(inputWith([call(0, FAR_CONTRACT), call(1, NO_CONTRACT)], change)), undefined);
  });

  it('must be there, in order, and no others', () => {
    const proofs = calls().block.body.pointerProofs;
    assert.equal(withProofs(proofs.slice(1)), 'pointer-proof-missing');
    assert.equal(withProofs(proofs.toReversed()), 'pointer-proof-out-of-order');
    assert.equal(withProofs([...proofs, ...proofs.slice(1)]), 'pointer-proof-out-of-order');
    assert.equal(reasonOf(withBody(inputWith([transfer(0)]), { pointerProofs: [proofOf(STRANGER)] })), 'pointer-proof-not-needed');
  });

  it('must prove something', () => {
    const [first, ...rest] = calls().block.body.pointerProofs as [Uint8Array];
    assert.equal(withProofs([first.subarray(1), ...rest]), 'malformed-pointer-proof');
    assert.equal(withProofs([first.map((byte, at) => (at === first.length - 1 ? byte ^ 1 : byte)), ...rest]), 'wrong-pointer-proof');
    assert.equal(reasonOf({ ...calls(), view: viewWith({ worldRoot: OTHER_HASH }) }), 'wrong-pointer-proof');
    const late = inputWith([call(0, FAR_CONTRACT)], { pointerProofOf: (target) => proofOf(target, 2) });
    assert.equal(reasonOf({ ...late, view: viewWith({ worldRootOfEpoch: () => undefined }) }), 'unknown-world-root');
  });

  it('are not for targets in the sender’s family, in its shard, or without data', () => {
    const parentState = MemoryState.of([
      { address: SENDER, balanceWei: 10n ** 20n },
      { address: FAR_CONTRACT, family: SENDER, nonce: 1n },
    ]);
    for (const [transaction, change] of [
      [call(0, FAR_CONTRACT), { parentState }],
      [call(0, NEIGHBOUR), {}],
      [transfer(0, { to: FAR_CONTRACT }), {}],
    ] as const) {
      const { block } = inputWith([transaction], { ...change, pointerProofOf: () => assert.fail('no proof is asked for') });
      assert.equal(block.transactions.length, 1);
    }
  });

  it('that no leader has keep a call out of its blocks', () => {
    assert.equal(inputWith([call(0, FAR_CONTRACT)], { pointerProofOf: () => undefined }).block.transactions.length, 0);
    assert.equal(inputWith([call(0, FAR_CONTRACT)], { pointerProofOf: () => proofOf(NO_CONTRACT) }).block.transactions.length, 0);
  });
});

describe('transactions', () => {
  before(() => initialiseKeccak());
  const wrong: readonly [ShardBlockRefusal, string, ReturnType<typeof transfer>[]][] = [
    ['invalid-transaction', 'of another chain', [transfer(0, { chainId: 1 })]],
    ['not-executable', 'with a gap before its nonce', [transfer(1)]],
    ['not-executable', 'with a nonce that was used', [transfer(0), transfer(0)]],
    ['not-executable', 'that its sender cannot pay', [transfer(0, { sender: UNFUNDED })]],
  ];
  for (const [reason, what, transactions] of wrong) {
    it(`are refused ${what}`, () => {
      const input = withBody(inputWith(), {}, transactions);
      const right = inputWith(transactions.map((_one, nonce) => transfer(nonce)));
      const { baseFeePerGasWei } = right.block.header;
      assert.equal(reasonOf(withHeader(input, () => ({ baseFeePerGasWei }))), reason);
    });
  }
});
