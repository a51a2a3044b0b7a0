// The ERC-20 of the benchmark: OpenZeppelin's, with a way to give many senders their coins in one transaction.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { hex } from '../../src/core/primitives/bytes.ts';

const CONTRACTS = join(import.meta.dirname, '../../contracts');

const SOURCE = `
// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
contract LoadToken is ERC20 {
  constructor() ERC20("Load", "LOAD") {}
  function give(address[] calldata to, uint256 value) external {
    for (uint256 i = 0; i < to.length; i++) _mint(to[i], value);
  }
}`;

/** Addresses of one `give`: 100 × 25,000 gas and some. */
export const GIVE_MAX = 100;

/** Creation code of the token. */
export function compileLoadToken(): Uint8Array {
  return compileContract(SOURCE, 'LoadToken');
}

/** Creation code of a contract in a Solidity source; what it imports is found as Node finds packages, and `coppice/` in contracts. */
export function compileContract(source: string, name: string): Uint8Array {
  const require = createRequire(import.meta.url);
  const solc = require('solc') as { compile(input: string, callbacks: object): string };
  const input = {
    language: 'Solidity',
    sources: { 'Load.sol': { content: source } },
    settings: { optimizer: { enabled: true, runs: 200 }, outputSelection: { '*': { [name]: ['evm.bytecode.object'] } } },
  };
  const fileOf = (path: string): string => (path.startsWith('coppice/') ? join(CONTRACTS, path) : require.resolve(path));
  const readImport = (path: string): object => ({ contents: readFileSync(fileOf(path), 'utf8') });
  const output = JSON.parse(solc.compile(JSON.stringify(input), { import: readImport })) as {
    contracts?: { 'Load.sol'?: Record<string, { evm: { bytecode: { object: string } } }> };
    errors?: { formattedMessage: string }[];
  };
  const compiled = output.contracts?.['Load.sol']?.[name];
  if (compiled === undefined)
    throw new Error(`${name} does not compile: ${output.errors?.map((error) => error.formattedMessage).join('\n')}`);
  return hex(compiled.evm.bytecode.object);
}

/** Call data of `give(address[],uint256)`. */
export function encodeGive(addresses: readonly string[], value: bigint): Uint8Array {
  const word = (number: bigint | number): string => number.toString(16).padStart(64, '0');
  const list = addresses.map((address) => address.slice(2).padStart(64, '0')).join('');
  return hex(`9f98df30${word(64)}${word(value)}${word(addresses.length)}${list}`);
}
