// web3_sha3: Keccak-256.
import { keccak256 } from '../../core/crypto/keccak.ts';
import { data } from '../json.ts';
import { defineMethod } from '../method.ts';
import { readData, required } from '../parameter.ts';

/** See the file's head. */
export const sha3 = defineMethod('web3_sha3', [required('data', readData)], (_context, bytes) => data(keccak256(bytes)));
