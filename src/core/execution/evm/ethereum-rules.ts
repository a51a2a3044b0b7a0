// Which Ethereum this is: Osaka's rules without types 3 and 4, EIP-2935, the EIP-4788 contract and precompile 0x0a (parameters, "EVM
// rules"), with Coppice's gas where it differs. The library gives what is pure arithmetic: opcodes 0x01 to 0x1e and the precompiles.
import { type Common, createCustomCommon, Hardfork, Mainnet } from '@ethereumjs/common';
import { EVM, EVMMockBlockchain, type EVMOpts, getActivePrecompiles, type PrecompileFunc, paramsEVM } from '@ethereumjs/evm';
import { keccak256 } from '../../crypto/keccak.ts';
import type { Secp256k1 } from '../../crypto/secp256k1.ts';
import { invariant } from '../../primitives/errors.ts';
import { POINTER_GAS, SEND_GAS } from '../../protocol/gas.ts';
import { FastBls, FastBn254, recoverOn } from './fast-curves.ts';

/** Cancun and these are Osaka without EIP-7702 and EIP-2935. */
const OSAKA_EIPS = [2537, 7623, 7823, 7825, 7883, 7939, 7951];
/**
 * These cost a multiple of Ethereum's gas: in JavaScript they run at a fraction of the speed that it pays for, and the worst block must stay
 * within a quarter of the timer cap. Pairings are in the design's parameters; the others were measured: a block full of any of them takes
 * at most 2 s where BLS verifies in 1.1 ms, so a machine of less than half that speed still keeps the 5 s.
 */
const SLOW_PRECOMPILE_GAS: readonly (readonly [factor: number, eip: number, names: readonly string[]])[] = [
  [2, 1679, ['bn254PairingGas', 'bn254PairingWordGas']],
  [2, 2537, ['bls12381G1AddGas', 'bls12381G2AddGas', 'bls12381PairingBaseGas', 'bls12381PairingPerPairGas']],
  [3, 1679, ['bn254MulGas']],
  [3, 2537, ['bls12381G1MulGas', 'bls12381G2MulGas', 'bls12381MapG1Gas', 'bls12381MapG2Gas']],
  [4, 1679, ['blake2RoundGas']],
];
const P256_VERIFY_FACTOR = 3n;
const CREATE_GAS = 32_000;
const P256_VERIFY = `0x${'100'.padStart(40, '0')}` as const;
/** Point evaluation needs a trusted setup that we do not carry: it would throw, and any user could trigger it. */
const REMOVED_PRECOMPILE = `0x${'0a'.padStart(40, '0')}` as const;

/** A synchronous opcode of the library: reads and writes the stack of what it is given, and nothing else. */
export type StackHandler = (frame: { readonly stack: unknown }, common: Common) => void;

/** The library's parts. */
export interface EthereumRules {
  readonly common: Common;
  readonly evm: EVM;
  /** By opcode; undefined outside 0x01 to 0x1e. */
  readonly stackHandlers: readonly (StackHandler | undefined)[];
  /** Base gas by opcode of those. */
  readonly stackHandlerGas: readonly number[];
  /** By address, 40 hexadecimal digits. */
  readonly precompiles: ReadonlyMap<string, PrecompileFunc>;
}

/** Parameters of the library with Coppice's gas in their places (the send gas stands for CALL's new-account charge). */
export function gasParameters(): typeof paramsEVM {
  const changed = structuredClone(paramsEVM);
  const set = (eip: number, name: string, value: (gas: number) => number): void => {
    const group = changed[eip];
    const gas = group?.[name];
    invariant(group !== undefined && typeof gas === 'number', `the library has the gas parameter ${name} of ${eip}`);
    group[name] = value(gas);
  };
  set(1, 'callNewAccountGas', () => SEND_GAS);
  set(1, 'createGas', () => CREATE_GAS + POINTER_GAS);
  set(1013, 'create2Gas', () => CREATE_GAS + POINTER_GAS);
  for (const [factor, eip, names] of SLOW_PRECOMPILE_GAS) for (const name of names) set(eip, name, (gas) => gas * factor);
  return changed;
}

/** The rules of a network. */
export function commonOf(evmChainId: number, secp256k1: Secp256k1): Common {
  return createCustomCommon({ chainId: evmChainId }, Mainnet, {
    hardfork: Hardfork.Cancun,
    eips: OSAKA_EIPS,
    customCrypto: { keccak256: (data: Uint8Array) => keccak256(data), ecrecover: recoverOn(secp256k1) },
  });
}

/** The library has the price of P-256 verification (6,900) in its code and not among its parameters. */
function dearerP256Verify(common: Common): PrecompileFunc {
  const verify = getActivePrecompiles(common).get(P256_VERIFY.slice(2));
  invariant(verify !== undefined, 'EIP-7951 is among the rules');
  return (input) => {
    const result = verify({ ...input, gasLimit: input.gasLimit / P256_VERIFY_FACTOR });
    invariant(!(result instanceof Promise), 'the library verifies P-256 at once');
    const executionGasUsed = result.exceptionError === undefined ? result.executionGasUsed * P256_VERIFY_FACTOR : input.gasLimit;
    return { ...result, executionGasUsed };
  };
}

/** What the library's EVM is made with, besides a state manager. */
export function evmOptions(evmChainId: number, secp256k1: Secp256k1): EVMOpts {
  const common = commonOf(evmChainId, secp256k1);
  return {
    common,
    blockchain: new EVMMockBlockchain(),
    bn254: new FastBn254(),
    bls: new FastBls(),
    params: gasParameters(),
    customPrecompiles: [{ address: REMOVED_PRECOMPILE }, { address: P256_VERIFY, function: dearerP256Verify(common) }],
  };
}

const FIRST_STACK_OPCODE = 0x01;
const LAST_STACK_OPCODE = 0x1e;

/** The opcode table is protected in the library; reading it is all that this class is for. */
class OpcodeSource extends EVM {
  handler(opcode: number): { readonly run: StackHandler; readonly gas: number } | undefined {
    const entry = this._opcodes.get(opcode);
    const run = this._handlers.get(opcode);
    return entry === undefined || run === undefined ? undefined : { run: run as unknown as StackHandler, gas: entry.fee };
  }
}

/** Rules by the curve that they recover signers with: collecting them takes milliseconds, and they hold no state. */
const collected = new WeakMap<Secp256k1, Map<number, EthereumRules>>();

/** The library's parts for a network, the same for equal arguments. */
export function ethereumRulesOf(evmChainId: number, secp256k1: Secp256k1): EthereumRules {
  const ofCurve = collected.get(secp256k1) ?? new Map<number, EthereumRules>();
  collected.set(secp256k1, ofCurve);
  const rules = ofCurve.get(evmChainId) ?? collectRules(evmChainId, secp256k1);
  ofCurve.set(evmChainId, rules);
  return rules;
}

function collectRules(evmChainId: number, secp256k1: Secp256k1): EthereumRules {
  const evm = new OpcodeSource(evmOptions(evmChainId, secp256k1));
  const stackHandlers: (StackHandler | undefined)[] = new Array(256).fill(undefined);
  const stackHandlerGas: number[] = new Array(256).fill(0);
  for (let opcode = FIRST_STACK_OPCODE; opcode <= LAST_STACK_OPCODE; opcode++) {
    const handler = evm.handler(opcode);
    stackHandlers[opcode] = handler?.run;
    stackHandlerGas[opcode] = handler?.gas ?? 0;
  }
  const precompiles = new Map([...evm.precompiles].filter(([, run]) => run !== undefined));
  return { common: evm.common, evm, stackHandlers, stackHandlerGas, precompiles };
}
