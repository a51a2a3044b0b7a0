// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {ICoppiceBounceHook, MESSENGER} from "./ICoppiceMessenger.sol";

/// For contracts that send messages: who may call what comes back, and where it goes.
///
/// Replies and bounces come in messages of their own, later, maybe many blocks later, and between them anything can happen to this contract.
/// So keep what they need under the id of the message before the transaction ends, and let a hook do no more than record: it has 30,000 gas,
/// and if it fails nobody calls it again.
abstract contract CoppiceContract is ICoppiceBounceHook {
    error NotTheMessenger(address caller);
    error NotThePeer(address caller);

    /// Replies and the bounce hook: nobody else can be the messenger, and it calls only whoever sent, with the selector that it chose.
    modifier onlyMessenger() {
        if (msg.sender != address(MESSENGER)) revert NotTheMessenger(msg.sender);
        _;
    }

    /// What one contract of another family may call: `msg.sender` is who sent the message, across families as within one.
    modifier onlyPeer(address peer) {
        if (msg.sender != peer) revert NotThePeer(msg.sender);
        _;
    }

    /// @inheritdoc ICoppiceBounceHook
    function onCoppiceBounce(bytes32 id, address to, uint256 value) external onlyMessenger {
        _bounced(id, to, value);
    }

    /// A message to `to` failed, and `value` is back.
    function _bounced(bytes32 id, address to, uint256 value) internal virtual;
}
