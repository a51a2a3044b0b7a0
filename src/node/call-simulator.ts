// Fits execution's simulation to what JSON-RPC asks for. It has an EVM of its own: items must never interleave with a block's.
//
// Nobody pays for a call, and consensus runs on the same thread. So a call gives way often, no step of it is long, and its time ends.
import type { Secp256k1 } from '../core/crypto/secp256k1.ts';
import { createOwnLoopExecutor, type ExecutorPace } from '../core/execution/evm/own-loop-executor.ts';
import {
  createQueuedExecutor,
  estimateGas,
  type FailedCall,
  type LackOfFunds,
  type SimulatedOutcome,
  type SimulationInput,
  simulateCall,
} from '../core/execution/simulate.ts';
import { CoppiceError, isError } from '../core/primitives/errors.ts';
import type { Wei } from '../core/primitives/ids.ts';
import type { Genesis } from '../core/protocol/genesis.ts';
import type { ExecutionContext } from '../core/protocol/message.ts';
import type { BlockOverrides, CallContext, CallRequest, Simulator, UnsuccessfulCall } from '../rpc/ports.ts';

declare module '../core/primitives/errors.ts' {
  interface ErrorFacts {
    /** A simulation's time is up. */
    'node/simulation-timeout': { timeoutMs: number };
  }
}

/** Calls that wait for their turn; more are refused. */
const SIMULATIONS_WAITING_MAX = 1024;
/** A call's whole time, waiting included, as geth's `--rpc.evmtimeout`. An estimate is many runs and has the same. */
const SIMULATION_MS_MAX = 5_000;
/**
 * 20,000 opcodes are at most 20 ms on a 2 GHz core. A precompile runs at a stretch: 450,000 gas of the slowest are 0.15 s (8 M, which a
 * transaction may buy, are 2.5 s), and a proof with five pairings takes 430,000.
 */
const SIMULATION_PACE: ExecutorPace = { pauseWork: 20_000, precompileGasMax: 450_000 };

/** A transaction that calls such an address fails without running anything (protocol, section 8). */
const NO_CODE = 'no code at the called address: wait until its creation is final, or send without data';

/** What a call sees of the world outside its family, and what BASEFEE says. */
export interface SimulationContext extends ExecutionContext {
  readonly baseFeePerGasWei: Wei;
}

/** A simulator over the contexts that `contextOf` gives. */
export function createSimulator(
  { parameters }: Pick<Genesis, 'parameters'>,
  secp256k1: Secp256k1,
  contextOf: (context: CallContext) => SimulationContext,
  nowMs: () => number,
): Simulator {
  const executor = createOwnLoopExecutor(parameters.evmChainId, secp256k1, SIMULATION_PACE);
  const evm = createQueuedExecutor(executor, SIMULATIONS_WAITING_MAX);
  const inputOf = (call: CallRequest, where: CallContext): SimulationInput => {
    const { baseFeePerGasWei, ...context } = overrideBlock(contextOf(where), where.overrides);
    return { call, state: where.state, context, baseFeePerGasWei, parameters, evm, pause: pauseUntil(nowMs() + SIMULATION_MS_MAX, nowMs) };
  };
  return {
    call: (request, where) =>
      nameEnds(async () => {
        const run = await simulateCall(inputOf(request, where));
        return run.outcome === 'success' ? { kind: 'success', returnData: run.returnData } : unsuccessful(run);
      }),
    estimate: (request, where) =>
      nameEnds(async () => {
        const run = await estimateGas(inputOf(request, where));
        if (run.outcome === 'gas-above-allowance') return { kind: 'gas-above-allowance', gasAllowance: run.gasAllowance };
        return run.outcome === 'success' ? { kind: 'success', gasLimit: run.gasLimit } : unsuccessful(run);
      }),
  };
}

function unsuccessful(run: LackOfFunds | FailedCall | SimulatedOutcome): UnsuccessfulCall {
  if (run.outcome === 'insufficient-funds') return { kind: 'insufficient-funds', haveWei: run.haveWei, wantWei: run.wantWei };
  if (run.outcome === 'revert') return { kind: 'revert', returnData: run.returnData };
  return run.halt === undefined ? { kind: 'failure', error: NO_CODE } : { kind: 'halt', halt: run.halt };
}

/** A simulation that a bound of this file ended is a call that failed, and says at which bound. */
async function nameEnds<T>(simulate: () => Promise<T>): Promise<T | UnsuccessfulCall> {
  try {
    return await simulate();
  } catch (error) {
    if (isError(error, 'node/simulation-timeout'))
      return { kind: 'failure', error: `execution aborted (timeout = ${SIMULATION_MS_MAX / 1000}s)` };
    if (isError(error, 'execution/precompile-too-heavy'))
      return {
        kind: 'failure',
        error: `a precompile takes more than the ${SIMULATION_PACE.precompileGasMax} gas that a simulation gives it at once`,
      };
    throw error;
  }
}

function pauseUntil(deadlineMs: number, nowMs: () => number): () => Promise<void> {
  return async () => {
    await new Promise((resolve) => setImmediate(resolve));
    if (nowMs() > deadlineMs) throw new CoppiceError('node/simulation-timeout', { timeoutMs: SIMULATION_MS_MAX });
  };
}

function overrideBlock(context: SimulationContext, overrides: BlockOverrides): SimulationContext {
  return {
    baseFeePerGasWei: overrides.baseFeePerGasWei ?? context.baseFeePerGasWei,
    referenceHeight: overrides.number ?? context.referenceHeight,
    referenceTimestampMs: overrides.timeSeconds === undefined ? context.referenceTimestampMs : overrides.timeSeconds * 1000,
    prevRandao: overrides.prevRandao ?? context.prevRandao,
    blockHash: context.blockHash,
    pretended: { coinbase: overrides.feeRecipient, gasLimit: overrides.gasLimit, blobBaseFeeWei: overrides.blobBaseFeeWei },
  };
}
