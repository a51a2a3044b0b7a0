// Mutants of what makes a block valid and of what it comes to: static validation, execution, fees, messages.
import type { Mutant } from './mutant.ts';
import { BRISK, CALM, PLAIN, SOON_MS, seedFirst, type Trial, underSeeds } from './trial.ts';

const VALIDATE = 'src/core/shard/validate-shard-block.ts';
const CHECKS = 'src/core/execution/transaction-checks.ts';
const EXECUTE = 'src/core/execution/execute-block.ts';
const MESSAGE = 'src/core/execution/execute-message.ts';
const BLOCKS = 'src/runtime/chain-blocks.ts';
const LOGIC = 'src/runtime/shard-block-logic.ts';

const EMIT = 'src/core/messaging/emit.ts';

const QUIET = [CALM, ...underSeeds(1, 4, { faults: [], dishonest: [], shape: PLAIN })];
const FAILING_CALLS = [CALM, ...underSeeds(1, 6, { faults: [], dishonest: [], failingCalls: true, shape: PLAIN })];
/** Blocks that follow one another before the first of them is committed. */
const AHEAD = underSeeds(3, 4, {
  faults: [],
  faultsUntilMs: 1_500,
  dishonest: [],
  parameters: BRISK,
  shape: { ...PLAIN, beaconIntervalMs: 1_000 },
});
/** A block that nobody can execute: the network is soon seen to stand still. */
const OVERDUE = underSeeds(33, 4, {
  faults: [],
  faultsUntilMs: SOON_MS,
  dishonest: [],
  parameters: { ...BRISK, idleIntervalMs: 250 },
  forger: 'wrong-spent-nonce',
  shape: { ...PLAIN, beaconIntervalMs: 300 },
});
/** Long enough that contracts which send by the messenger are deployed, called, answered and refused. */
const TALKING = underSeeds(1, 10, { faults: [], dishonest: [], shape: PLAIN });
/** Links on which a proposal may come before the beacon block to which it refers. */
const UNEVEN = underSeeds(13, 6, { faults: [], faultsUntilMs: SOON_MS, dishonest: [], shape: { ...PLAIN, beaconIntervalMs: 250 } });
/** Blocks of four transfers, so that there are full ones and the base fee moves. */
const BUSY = underSeeds(1, 4, { faults: [], faultsUntilMs: SOON_MS, dishonest: [], parameters: { blockGasLimit: 84_000 }, shape: PLAIN });

function lies(forger: NonNullable<Trial['forger']>): readonly Trial[] {
  const trial = { faults: [], dishonest: [], forger, shape: PLAIN };
  return [...underSeeds(1, 8, { ...trial, faultsUntilMs: SOON_MS }), ...underSeeds(1, 10, trial)];
}

/** See the file's head. */
export const EXECUTION_MUTANTS: readonly Mutant[] = [
  {
    name: 'vrf-unchecked',
    rule: "the proposer's VRF proof is verified",
    violates: ['validity'],
    file: BLOCKS,
    find: 'const vrfOutput = this.#dependencies.vrf.verify(vrfPublicKey, vrfAlpha, held.block.header.vrfProof);',
    replace:
      'const vrfOutput = vrfAlpha.length + vrfPublicKey.length > 0 ? this.#dependencies.vrf.output(held.block.header.vrfProof) : undefined;',
    trials: lies('wrong-vrf-proof'),
  },
  {
    name: 'timestamp-unchecked',
    rule: "a block's timestamp is not earlier than permitted",
    violates: ['validity'],
    file: VALIDATE,
    find: '  isNotTooEarly,\n',
    replace: '',
    trials: lies('wrong-timestamp'),
  },
  {
    name: 'reference-unchecked',
    rule: 'a reference names a block of this beacon',
    violates: ['validity'],
    file: VALIDATE,
    find: '  namesReferenceOfView,\n',
    replace: '',
    trials: lies('wrong-beacon-reference'),
  },
  {
    name: 'parent-execution-unchecked',
    rule: 'a header commits what its parent came to',
    violates: ['validity'],
    file: VALIDATE,
    find: '  commitsParentExecution,\n',
    replace: '',
    trials: lies('wrong-state-root'),
  },
  {
    name: 'gas-unchecked',
    rule: "a header's gas is what its transactions buy",
    violates: ['validity'],
    file: VALIDATE,
    find: '  statesGasBought,\n',
    replace: '',
    trials: lies('wrong-gas-bought'),
  },
  {
    name: 'base-fee-unchecked',
    rule: 'a header sets the right base fee for its child',
    violates: ['validity'],
    file: VALIDATE,
    find: 'const RULES_AFTER_INBOX: readonly JudgedRule[] = [staysWithinGas, leavesRightBaseFee];',
    replace: 'const RULES_AFTER_INBOX: readonly JudgedRule[] = [staysWithinGas];',
    trials: lies('wrong-base-fee'),
  },
  {
    name: 'nonce-unchecked',
    rule: 'a transaction has the next nonce of its sender',
    violates: ['liveness', 'validity'],
    file: CHECKS,
    find: '  if (transaction.nonce < before.nextNonce) return',
    replace: '  if (transaction.nonce < 0n) return',
    trials: [...OVERDUE, ...lies('wrong-spent-nonce')],
  },
  {
    name: 'balance-unchecked',
    rule: 'the most that a transaction can cost is within its balance',
    violates: ['validity'],
    file: CHECKS,
    find: '  if (reservedWei > balanceWei) return',
    replace: '  if (reservedWei < balanceWei && reservedWei < 0n) return',
    trials: lies('wrong-balance'),
  },
  {
    name: 'data-floor-unchecked',
    rule: 'a gas limit is not below the floor for its data',
    violates: ['validity'],
    file: CHECKS,
    find: '  if (gasLimit < floor) return',
    replace: '  if (gasLimit < floor && gasLimit < intrinsic) return',
    trials: lies('wrong-data-floor'),
  },
  {
    name: 'wrong-parent-state',
    rule: "a block is executed on its parent's state",
    violates: ['determinism', 'validity', 'exactly-once', 'conservation', 'liveness'],
    file: LOGIC,
    find: '        parentState: parent.version,\n        view,',
    replace: '        parentState: states.committed(),\n        view,',
    trials: AHEAD,
  },
  {
    name: 'stale-state-root',
    rule: 'what a block came to has the root of the state after it',
    violates: ['validity', 'determinism'],
    file: LOGIC,
    find: 'judged, result, state: version, leafCounts',
    replace: 'judged, result, state: parent.version, leafCounts',
    trials: QUIET,
  },
  {
    name: 'fee-not-burned',
    rule: 'the base fee is burned',
    violates: ['conservation', 'determinism', 'validity'],
    file: EXECUTE,
    find: '    burnedWei += baseFeePerGasWei * BigInt(gasLimit);',
    replace: '    burnedWei += baseFeePerGasWei * 0n;',
    trials: QUIET,
  },
  {
    name: 'tip-counted-twice',
    rule: 'half of a priority fee stays, the other half travels',
    violates: ['conservation', 'determinism', 'validity'],
    file: EXECUTE,
    find: '    proposerFeesWei += priorityWei - travellingTipWei;',
    replace: '    proposerFeesWei += priorityWei;',
    trials: QUIET,
  },
  {
    name: 'nonce-not-written',
    rule: 'a transaction takes its nonce',
    violates: ['determinism', 'exactly-once'],
    file: EXECUTE,
    find: 'nonce: value.nonce + 1n,',
    replace: 'nonce: value.nonce,',
    trials: QUIET,
  },
  {
    name: 'message-executed-twice',
    rule: 'every message is executed once',
    violates: ['exactly-once', 'conservation', 'determinism'],
    file: EXECUTE,
    find: '(one.targetFamily)) next.push(one);',
    replace: '(one.targetFamily)) next.push(one, one);',
    trials: FAILING_CALLS,
  },
  {
    name: 'value-lost-with-a-failure',
    rule: 'a message that fails sends its value back',
    violates: ['conservation', 'determinism', 'validity'],
    file: MESSAGE,
    find: '  const hasSomethingToSay = message.valueWei > 0n || message.reservedGas > 0;',
    replace: '  const hasSomethingToSay = message.valueWei < 0n || message.reservedGas > 0;',
    trials: FAILING_CALLS,
  },
  {
    name: 'call-across-families-runs',
    rule: 'a call with data of another family fails in the frame that makes it',
    violates: ['determinism', 'validity', 'layout-independence'],
    file: 'src/core/execution/family-rules.ts',
    find: "  if (kind !== 'call' || facts.isStaticFrame || facts.hasData) return 'foreign-call';",
    replace: "  if (kind !== 'call' || facts.isStaticFrame || facts.hasData) return 'local';",
    trials: seedFirst(2, TALKING),
  },
  {
    name: 'call-before-its-contract',
    rule: 'a call with data of an address where nobody is yet fails',
    violates: ['determinism', 'validity'],
    file: MESSAGE,
    find: '  if (nonce !== 0n || message.data.length < CALL_DATA_BYTES_MIN || target === undefined) return false;',
    replace: '  if (nonce === 0n || message.data.length < CALL_DATA_BYTES_MIN || target === undefined) return false;',
    trials: FAILING_CALLS,
  },
  {
    name: 'validity-by-what-has-come',
    rule: 'validity never depends on what a node has seen',
    violates: ['validity', 'liveness'],
    file: LOGIC,
    find: '    validate: async (task) => {\n      const verdict = await judge(task);\n',
    replace:
      "    validate: async (task) => {\n      if (task.block.header.beaconReference.height > window.newest.height) return refuse('wrong-beacon-reference', '');\n      const verdict = await judge(task);\n",
    trials: UNEVEN,
  },
  {
    name: 'credit-without-debit',
    rule: 'value is taken where it is sent',
    violates: ['conservation', 'determinism', 'validity'],
    file: EXECUTE,
    find: 'balanceWei: value.balanceWei - costWei,',
    replace: 'balanceWei: value.balanceWei - costWei + transaction.valueWei,',
    trials: QUIET,
  },
  {
    name: 'base-fee-of-the-block',
    rule: 'fast blocks do not make the price faster',
    violates: ['validity'],
    file: 'src/core/execution/base-fee.ts',
    find: 'const elapsedMs = Math.max(0, Math.min(ELAPSED_MS_MAX, input.elapsedMs));',
    replace: 'const elapsedMs = Math.max(ELAPSED_MS_MAX, input.elapsedMs);',
    trials: BUSY,
  },
  {
    name: 'bounce-to-the-origin',
    rule: 'a bounce goes to the sender of what failed',
    violates: ['determinism', 'validity'],
    file: EMIT,
    find: 'const { sender, senderFamily, targetFamily, valueWei } = failed;',
    replace: 'const { originAddress: sender, originFamily: senderFamily, targetFamily, valueWei } = failed;',
    trials: TALKING,
  },
  {
    name: 'value-lost-with-a-hook',
    rule: 'the value of a bounce stands, whatever becomes of the hook',
    violates: ['conservation', 'determinism', 'validity'],
    file: MESSAGE,
    find: "outcome.outcome === 'success' ? done(message, wave, state, outcome) : succeeded(message, wave, [], 'success', outcome),",
    replace:
      "outcome.outcome === 'success' ? done(message, wave, state, outcome) : (creditAccount(entry, -message.valueWei), succeeded(message, wave, [], 'success', outcome)),",
    trials: TALKING,
  },
  {
    name: 'reply-to-a-failure',
    rule: 'a call is answered only where it succeeded',
    violates: ['validity'],
    file: MESSAGE,
    find: 'return succeeded(message, wave, bouncesOf(message), ran.outcome, {',
    replace: 'return succeeded(message, wave, [...bouncesOf(message), ...replyTo(message, 1, NO_DATA)], ran.outcome, {',
    trials: TALKING,
  },
  {
    name: 'messenger-for-free',
    rule: 'what code sends is paid from the gas that it came with',
    violates: ['validity'],
    file: 'src/core/execution/evm/messenger-call.ts',
    find: 'frame.useGas(messengerCharge(request.value));',
    replace: 'frame.useGas(messengerCharge(request.value) * 0);',
    trials: TALKING,
  },
];
