// The contracts of the hot shard's load: one that sends value and a call to other families with each call of it, and may create a contract beside;
// and one in another shard that counts what arrives. What the first says that it sent, the other must have.
import { keccak256 } from '../../src/core/crypto/keccak.ts';
import { bytesToHex, hex } from '../../src/core/primitives/bytes.ts';
import { compileContract } from '../devnet/load-token.ts';

const SOURCE = `
// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;
import {CoppiceMessages} from "coppice/CoppiceMessages.sol";
contract Counter {
  uint256 public count;
  function arrive() external { count++; }
}
contract Child {
  uint256 public born = block.number;
}
contract HotSpot {
  uint256 public told = 1;
  uint256 public paid = 1;
  uint256 public created = 1;
  function work(address counter, address payable sink, bool creates) external payable {
    CoppiceMessages.tell(counter, 40000, abi.encodeCall(Counter.arrive, ()));
    (bool isSent,) = sink.call{value: 1}("");
    require(isSent);
    told++;
    paid++;
    if (creates) {
      new Child();
      created++;
    }
  }
}`;

/** Creation code of the contract that is called, of the one that counts, and of one for transactions that create. */
export function compileHotContracts(): { readonly hotSpot: Uint8Array; readonly counter: Uint8Array; readonly child: Uint8Array } {
  const [hotSpot, counter, child] = ['HotSpot', 'Counter', 'Child'].map((name) => compileContract(SOURCE, name)) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];
  return { hotSpot, counter, child };
}

/** Call data of `work`. */
export function encodeWork(counter: string, sink: string, creates: boolean): Uint8Array {
  const address = (text: string): string => text.slice(2).toLowerCase().padStart(64, '0');
  return hex(`${selectorOf('work(address,address,bool)')}${address(counter)}${address(sink)}${(creates ? '1' : '0').padStart(64, '0')}`);
}

/** Call data of a function without parameters. */
export function encodeCall(name: 'told' | 'paid' | 'created' | 'count'): string {
  return `0x${selectorOf(`${name}()`)}`;
}

function selectorOf(signature: string): string {
  return bytesToHex(keccak256(new TextEncoder().encode(signature)).subarray(0, 4));
}
