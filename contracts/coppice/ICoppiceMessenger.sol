// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// The messenger sends explicit messages from one family of contracts to another, or within one. It is part of the protocol: it has an address
/// and no code, takes nothing but a CALL, and emits the message when the transaction part that called it succeeds.
interface ICoppiceMessenger {
    /// The call data is not the canonical encoding of `send`, or carries more than 128 KiB of data.
    error MalformedSend();
    /// Precompiles and the messenger take no messages.
    error UnreachableTarget(address target);
    /// A chain of messages has at most 64 hops.
    error TooManyHops();

    /// Sends a call of `to` with `data`, the value of this call, and `gas` to run there. Success means sent.
    ///
    /// What it costs is taken here: 6,000 + 16 for each byte of data + `gas` + max(30,000, `replyGas`).
    ///
    /// If the call succeeds there and `replySelector` is not zero, the messenger calls this contract with
    /// `replySelector(bytes32 id, address from, bytes result)` and the larger of `replyGas` and 30,000 gas; of the result at most 1 KiB comes.
    /// If it fails, the value comes back, and the messenger calls `onCoppiceBounce` (ICoppiceBounceHook) with 30,000 gas.
    ///
    /// @return id the name of the message: what the reply or the bounce will name
    function send(address to, uint64 gas, bytes4 replySelector, uint64 replyGas, bytes calldata data) external payable returns (bytes32 id);
}

/// What the messenger calls when a message fails: one that was sent by it, or a plain `call{value: …}("")` to another family.
interface ICoppiceBounceHook {
    /// The value is this contract's again before this runs, and stays so whatever this does. 30,000 gas: a new storage slot and an event.
    function onCoppiceBounce(bytes32 id, address to, uint256 value) external;
}

ICoppiceMessenger constant MESSENGER = ICoppiceMessenger(0x0000000000000000000000000000000000C00001);
