// Fits execution's simulation to what JSON-RPC asks for. It has an EVM of its own: items must never interleave with a block's.
import type { Secp256k1 } from '../core/crypto/secp256k1.ts';
import { createOwnLoopExecutor } from '../core/execution/evm/own-loop-executor.ts';
import { createQueuedExecutor, estimateGas, type SimulationInput, simulateCall } from '../core/execution/simulate.ts';
import type { Wei } from '../core/primitives/ids.ts';
import type { Genesis } from '../core/protocol/genesis.ts';
import type { ExecutionContext } from '../core/protocol/message.ts';
import type { CallContext, CallOutcome, CallRequest, EstimateOutcome, Simulator } from '../rpc/ports.ts';

/** Calls that wait for their turn; more are refused. */
const SIMULATIONS_WAITING_MAX = 1024;

/** What a call sees of the world outside its family, and what BASEFEE says. */
export interface SimulationContext extends ExecutionContext {
  readonly baseFeePerGasWei: Wei;
}

/** A simulator over the contexts that `contextOf` gives. */
export function createSimulator(
  { parameters }: Genesis,
  secp256k1: Secp256k1,
  contextOf: (context: CallContext) => SimulationContext,
): Simulator {
  const evm = createQueuedExecutor(createOwnLoopExecutor(parameters.evmChainId, secp256k1), SIMULATIONS_WAITING_MAX);
  const pause = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const inputOf = (call: CallRequest, where: CallContext): SimulationInput => {
    const { baseFeePerGasWei, ...context } = contextOf(where);
    return { call, state: where.state, context, baseFeePerGasWei, parameters, evm, pause };
  };
  return {
    call: async (request, where): Promise<CallOutcome> => {
      const run = await simulateCall(inputOf(request, where));
      switch (run.outcome) {
        case 'insufficient-funds':
          return { kind: 'insufficient-funds', haveWei: run.haveWei, wantWei: run.wantWei };
        case 'success':
          return { kind: 'success', returnData: run.returnData };
        case 'revert':
          return { kind: 'revert', returnData: run.returnData };
        case 'failure':
          return { kind: 'failure', error: FAILURE };
      }
    },
    estimate: async (request, where): Promise<EstimateOutcome> => {
      const run = await estimateGas(inputOf(request, where));
      switch (run.outcome) {
        case 'insufficient-funds':
          return { kind: 'insufficient-funds', haveWei: run.haveWei, wantWei: run.wantWei };
        case 'success':
          return { kind: 'success', gasLimit: run.gasLimit };
        case 'revert':
          return { kind: 'revert', returnData: run.returnData };
        case 'failure':
          return { kind: 'failure', error: FAILURE };
      }
    },
  };
}

/** Execution tells success, revert and failure apart, and no more: an exceptional halt takes all gas whatever caused it. */
const FAILURE = 'out of gas or invalid operation';
