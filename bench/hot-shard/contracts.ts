// The contracts of the hot shard's load: one that sends value and a call to other families with each call of it, and may create a contract beside;
// and in another shard one that counts what arrives, and one that takes nothing, so that value comes back. What the first says that it sent, the
// others must have, or it again.
import { keccak256 } from '../../src/core/crypto/keccak.ts';
import { bytesToHex, hex } from '../../src/core/primitives/bytes.ts';
import { compileContract } from '../devnet/load-token.ts';

const SOURCE = `
// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;
import {CoppiceContract} from "coppice/CoppiceContract.sol";
import {CoppiceMessages} from "coppice/CoppiceMessages.sol";
contract Counter {
  uint256 public count;
  function arrive() external { count++; }
}
contract Child {
  uint256 public born = block.number;
}
contract Refuser {
  receive() external payable { revert(); }
}
contract HotSpot is CoppiceContract {
  uint256 public told = 1;
  uint256 public paid = 1;
  uint256 public created = 1;
  uint256 public bounced = 1;
  function _bounced(bytes32, address, uint256) internal override { bounced++; }
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

/** Creation code of a contract of the load: the one that is called, the one that counts, the one that refuses, and what transactions create. */
export function compileHotContract(name: 'HotSpot' | 'Counter' | 'Refuser' | 'Child'): Uint8Array {
  return compileContract(SOURCE, name);
}

/** Call data of `work`. */
export function encodeWork(counter: string, sink: string, creates: boolean): Uint8Array {
  const address = (text: string): string => text.slice(2).toLowerCase().padStart(64, '0');
  return hex(`${selectorOf('work(address,address,bool)')}${address(counter)}${address(sink)}${(creates ? '1' : '0').padStart(64, '0')}`);
}

/** Call data of a function without parameters. */
export function encodeCall(name: 'told' | 'paid' | 'created' | 'bounced' | 'count'): string {
  return `0x${selectorOf(`${name}()`)}`;
}

function selectorOf(signature: string): string {
  return bytesToHex(keccak256(new TextEncoder().encode(signature)).subarray(0, 4));
}
