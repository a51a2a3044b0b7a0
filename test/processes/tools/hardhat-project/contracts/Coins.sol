// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// An OpenZeppelin ERC-20 whose deployer has all of it.
contract Coins is ERC20 {
    constructor(uint256 supply) ERC20("Coins", "COIN") {
        _mint(msg.sender, supply);
    }
}
