// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {CoppiceContract} from "../coppice/CoppiceContract.sol";
import {CoppiceMessages} from "../coppice/CoppiceMessages.sol";

/// A token that lives in two families at once: what is burned here is made by the twin there. Coins under way are in neither; those that do
/// not arrive can be claimed back. The sum of both supplies and of what is under way never changes.
contract BridgedToken is ERC20, CoppiceContract {
    error TwinIsSet();
    error NothingToReclaim(bytes32 id);

    event Crossing(bytes32 indexed id, address indexed from, address indexed to, uint256 amount);
    event Crossed(bytes32 indexed id);
    event Returned(bytes32 indexed id);

    enum Status {
        None,
        UnderWay,
        Bounced
    }

    /// One slot, so that the bounce hook writes one.
    struct Passage {
        address owner;
        uint88 amount;
        Status status;
    }

    /// Making coins for somebody who has none yet writes two slots: 45,000, and as much again to spare.
    uint64 private constant ARRIVE_GAS = 90_000;

    address private immutable _deployer = msg.sender;
    /// The other contract, once it is known.
    address public twin;
    /// What is under way, or came back, by the id of its message.
    mapping(bytes32 id => Passage) public passages;

    constructor(uint256 supply) ERC20("Bridged", "BRG") {
        _mint(msg.sender, supply);
    }

    function setTwin(address other) external onlyPeer(_deployer) {
        if (twin != address(0)) revert TwinIsSet();
        twin = other;
    }

    /// Takes the caller's coins and has the twin make them for `to`. They are there when its message has run, not when this returns.
    function cross(address to, uint88 amount) external returns (bytes32 id) {
        _burn(msg.sender, amount);
        id = CoppiceMessages.ask(twin, 0, ARRIVE_GAS, abi.encodeCall(this.arrive, (to, amount)), this.crossed.selector);
        passages[id] = Passage(msg.sender, amount, Status.UnderWay);
        emit Crossing(id, msg.sender, to, amount);
    }

    /// The twin's message.
    function arrive(address to, uint256 amount) external onlyPeer(twin) {
        _mint(to, amount);
    }

    /// The reply to it: the coins are there, and nothing needs to be remembered.
    function crossed(bytes32 id, address, bytes calldata) external onlyMessenger {
        delete passages[id];
        emit Crossed(id);
    }

    /// The message failed. Making the coins again could need more gas than the hook has, so this only says that it may be done.
    function _bounced(bytes32 id, address, uint256) internal override {
        passages[id].status = Status.Bounced;
        emit Returned(id);
    }

    /// Gives back coins that did not arrive. Anybody may do it for their owner.
    function reclaim(bytes32 id) external {
        Passage memory passage = passages[id];
        if (passage.status != Status.Bounced) revert NothingToReclaim(id);
        delete passages[id];
        _mint(passage.owner, passage.amount);
    }
}
