// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {MESSENGER} from "./ICoppiceMessenger.sol";

/// Ways to send, with the arguments in an order that is hard to get wrong. All return the id of the message.
library CoppiceMessages {
    /// A call without value and without a reply. If it fails, only the bounce hook hears of it.
    function tell(address to, uint64 gasThere, bytes memory data) internal returns (bytes32 id) {
        return MESSENGER.send(to, gasThere, bytes4(0), 0, data);
    }

    /// A call with value, without a reply.
    function pay(address to, uint256 value, uint64 gasThere, bytes memory data) internal returns (bytes32 id) {
        return MESSENGER.send{value: value}(to, gasThere, bytes4(0), 0, data);
    }

    /// A call whose result comes back to `replySelector(bytes32 id, address from, bytes result)` of this contract, with 30,000 gas: these
    /// are reserved in any case, for the bounce hook, so such a reply costs nothing more.
    function ask(address to, uint256 value, uint64 gasThere, bytes memory data, bytes4 replySelector) internal returns (bytes32 id) {
        return MESSENGER.send{value: value}(to, gasThere, replySelector, 0, data);
    }

    /// The same with a reply that needs more gas than that.
    function ask(address to, uint256 value, uint64 gasThere, bytes memory data, bytes4 replySelector, uint64 replyGas)
        internal
        returns (bytes32 id)
    {
        return MESSENGER.send{value: value}(to, gasThere, replySelector, replyGas, data);
    }
}
