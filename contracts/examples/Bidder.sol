// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {CoppiceContract} from "../coppice/CoppiceContract.sol";
import {CoppiceMessages} from "../coppice/CoppiceMessages.sol";
import {Auction} from "./Auction.sol";

/// Bids in an auction of another family for its owner, and hears how it went.
contract Bidder is CoppiceContract {
    event Accepted(bytes32 indexed id, uint256 count);
    event Refused(bytes32 indexed id, uint256 value);

    /// Bidding, an event, and a refund to somebody of another family (75,000).
    uint64 private constant BID_GAS = 200_000;

    address private immutable _owner = msg.sender;
    /// Whether refunds are taken: an example of a receiver that cannot be paid.
    bool public takesRefunds = true;

    function place(Auction auction) external payable onlyPeer(_owner) returns (bytes32 id) {
        return CoppiceMessages.ask(address(auction), msg.value, BID_GAS, abi.encodeCall(auction.bid, ()), this.placed.selector);
    }

    /// The auction took the bid.
    function placed(bytes32 id, address, bytes calldata result) external onlyMessenger {
        emit Accepted(id, abi.decode(result, (uint256)));
    }

    /// It did not, and the value is back.
    function _bounced(bytes32 id, address, uint256 value) internal override {
        emit Refused(id, value);
    }

    function takeRefunds(bool takes) external onlyPeer(_owner) {
        takesRefunds = takes;
    }

    receive() external payable {
        require(takesRefunds, "no refunds");
    }
}
