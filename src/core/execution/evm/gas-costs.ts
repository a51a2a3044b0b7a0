// Gas of the opcodes that the own loop carries out itself, with the EIP that sets each. The differential tests hold them against the
// library's table.
import { POINTER_GAS } from '../../protocol/gas.ts';

export const BASE_GAS = 2;
export const VERY_LOW_GAS = 3;
export const LOW_GAS = 5;
export const JUMP_GAS = 8;
export const JUMPI_GAS = 10;
export const JUMPDEST_GAS = 1;
export const BLOCKHASH_GAS = 20;
/** EIP-160. */
export const EXP_BYTE_GAS = 50;
export const KECCAK_GAS = 30;
export const KECCAK_WORD_GAS = 6;
export const COPY_WORD_GAS = 3;
export const MEMORY_WORD_GAS = 3;
export const MEMORY_QUADRATIC_DIVISOR = 512;
export const LOG_GAS = 375;
export const LOG_TOPIC_GAS = 375;
export const LOG_BYTE_GAS = 8;
/** EIP-2929. */
export const COLD_ACCOUNT_GAS = 2_600;
export const COLD_SLOT_GAS = 2_100;
export const WARM_GAS = 100;
/** EIP-2200 and EIP-2929. */
export const SSTORE_SENTRY_GAS = 2_300;
export const SSTORE_SET_GAS = 20_000;
export const SSTORE_RESET_GAS = 2_900;
export const CALL_VALUE_GAS = 9_000;
export const CALL_STIPEND_GAS = 2_300;
/** EIP-150: a caller keeps at least this fraction. */
export const KEPT_GAS_DIVISOR = 64;
/** CREATE and CREATE2, with the pointer that each creation pays for. */
export const CREATE_OPCODE_GAS = 32_000 + POINTER_GAS;
/** EIP-3860. */
export const INITCODE_WORD_GAS = 2;
export const CODE_DEPOSIT_BYTE_GAS = 200;
/** EIP-150 and EIP-161. */
export const SELFDESTRUCT_GAS = 5_000;
export const CALL_DEPTH_MAX = 1_024;
