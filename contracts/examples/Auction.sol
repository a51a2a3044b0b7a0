// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {CoppiceContract} from "../coppice/CoppiceContract.sol";

/// An auction that takes bids from every family: from accounts by a transaction, from contracts by a message (Bidder.sol). A bid that is too
/// low fails, and its value goes back by itself. Whoever is outbid is paid at once, by a message to their family; where that fails the coins
/// come back here, and are kept for them.
contract Auction is CoppiceContract {
    error BidTooLow(uint256 highestBid);
    error Over();
    error NothingOwed();

    event Bid(address indexed bidder, uint256 amount);
    event RefundReturned(address indexed bidder, uint256 amount);
    event Closed(address indexed winner, uint256 amount);

    address public immutable seller = msg.sender;
    address public highestBidder;
    uint256 public highestBid;
    bool public isOver;
    /// Refunds that their receivers did not take.
    mapping(address bidder => uint256) public owed;

    /// @return count how many bids there were: what a bidding contract gets as its reply
    function bid() external payable returns (uint256 count) {
        if (isOver) revert Over();
        if (msg.value <= highestBid) revert BidTooLow(highestBid);
        (address outbid, uint256 refund) = (highestBidder, highestBid);
        (highestBidder, highestBid) = (msg.sender, msg.value);
        emit Bid(msg.sender, msg.value);
        count = ++_bids;
        if (refund > 0) _send(outbid, refund);
    }

    uint256 private _bids;

    /// Ends the auction and pays the seller.
    function close() external onlyPeer(seller) {
        if (isOver) revert Over();
        isOver = true;
        emit Closed(highestBidder, highestBid);
        if (highestBid > 0) _send(seller, highestBid);
    }

    /// Tries again to pay what came back.
    function withdraw(address bidder) external {
        uint256 amount = owed[bidder];
        if (amount == 0) revert NothingOwed();
        owed[bidder] = 0;
        _send(bidder, amount);
    }

    /// A refund that its receiver refused.
    function _bounced(bytes32, address to, uint256 value) internal override {
        owed[to] += value;
        emit RefundReturned(to, value);
    }

    // To another family this is a message: success means sent. To the own family it is a call as on Ethereum, and may fail at once.
    function _send(address to, uint256 amount) private {
        (bool isSent,) = to.call{value: amount}("");
        if (!isSent) owed[to] += amount;
    }
}
