// Runs a precompiled contract of the library. Its input is copied, as some keep it; its errors come down to success or not.

import { invariant } from '../../primitives/errors.ts';
import type { Hex } from '../../primitives/ids.ts';
import type { FrameStart } from './frame.ts';
import type { Machine, PrecompileResult } from './machine.ts';

/** Heavy arithmetic: a gas of precompile counts as this much work towards the host's turn. */
const WORK_PER_GAS = 0.1;

/** The answer, or a promise of it: the library declares those of EIP-2537 as asynchronous. */
export function runPrecompile(machine: Machine, addressHex: Hex, start: FrameStart): PrecompileResult | Promise<PrecompileResult> {
  const { rules } = machine;
  const run = rules.precompiles.get(addressHex);
  invariant(run !== undefined, 'only the address of a precompile is run as one');
  const gasLimit = BigInt(start.gasLimit);
  const answer = run({ data: start.callData.slice(), gasLimit, common: rules.common, _EVM: rules.evm });
  return answer instanceof Promise ? answer.then((result) => resultOf(machine, start, result)) : resultOf(machine, start, answer);
}

type LibraryResult = { readonly exceptionError?: unknown; readonly executionGasUsed: bigint; readonly returnValue: Uint8Array };

function resultOf(machine: Machine, start: FrameStart, result: LibraryResult): PrecompileResult {
  const success = result.exceptionError === undefined;
  const gasUsed = success ? Number(result.executionGasUsed) : start.gasLimit;
  machine.work += gasUsed * WORK_PER_GAS;
  return { success, gasUsed, output: success ? result.returnValue : new Uint8Array(0) };
}
