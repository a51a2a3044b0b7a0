// Runs a precompiled contract of the library; its errors come down to success or not. The input is a view of the caller's memory and is
// not copied: a call with a megabyte of input and too little gas must cost no more than its gas.

import { EVMError } from '@ethereumjs/evm';
import { CoppiceError, invariant } from '../../primitives/errors.ts';
import type { Hex } from '../../primitives/ids.ts';
import type { FrameStart } from './frame.ts';
import type { Machine, PrecompileResult } from './machine.ts';

declare module '../../primitives/errors.ts' {
  interface ErrorFacts {
    /** A precompile would keep the thread for too long, in a simulation that nobody pays for. */
    'execution/precompile-too-heavy': { gasMax: number };
  }
}

/** Heavy arithmetic: a gas of precompile counts as this much work towards the host's turn. The slowest take 0.5 µs a gas. */
const WORK_PER_GAS = 1;
const NO_DATA = new Uint8Array(0);

/** The answer, or a promise of it: the library declares those of EIP-2537 as asynchronous. */
export function runPrecompile(machine: Machine, addressHex: Hex, start: FrameStart): PrecompileResult | Promise<PrecompileResult> {
  const { rules } = machine;
  const run = rules.precompiles.get(addressHex);
  invariant(run !== undefined, 'only the address of a precompile is run as one');
  const gasLimit = BigInt(Math.min(start.gasLimit, machine.precompileGasMax));
  const answer = run({ data: start.callData, gasLimit, common: rules.common, _EVM: rules.evm });
  return answer instanceof Promise ? answer.then((result) => resultOf(machine, start, result)) : resultOf(machine, start, answer);
}

type LibraryResult = { readonly exceptionError?: EVMError; readonly executionGasUsed: bigint; readonly returnValue: Uint8Array };

function resultOf(machine: Machine, start: FrameStart, result: LibraryResult): PrecompileResult {
  const success = result.exceptionError === undefined;
  const isOutOfGas = result.exceptionError?.error === EVMError.errorMessages.OUT_OF_GAS;
  const { precompileGasMax } = machine;
  if (isOutOfGas && start.gasLimit > precompileGasMax)
    throw new CoppiceError('execution/precompile-too-heavy', { gasMax: precompileGasMax });
  const gasUsed = success ? Number(result.executionGasUsed) : start.gasLimit;
  machine.work += gasUsed * WORK_PER_GAS;
  const output = success ? result.returnValue : NO_DATA;
  const reason = success ? undefined : isOutOfGas ? 'out-of-gas' : 'precompile-failed';
  // The output outlives the call, the caller's memory goes on changing.
  return { success, reason, gasUsed, output: output.buffer === start.callData.buffer ? output.slice() : output };
}
