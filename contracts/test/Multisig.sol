// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";

/// @notice For the tests only: a call is made once `threshold` of the owners have confirmed it. It shows that the
/// highest role and a signing address can be a contract's; a city takes an audited multisig.
contract Multisig is IERC1271 {
    uint256 public immutable THRESHOLD;

    mapping(address owner => bool) public owns;
    mapping(bytes32 call => mapping(address owner => bool)) private _confirmed;
    mapping(bytes32 call => uint256) public confirmations;
    mapping(bytes32 call => bool) public made;

    error NotAnOwner(address account);
    error ConfirmedBefore();
    error MadeBefore();
    error CallFailed(bytes answer);

    constructor(address[] memory owners, uint256 threshold) {
        require(threshold != 0 && threshold <= owners.length, "threshold");
        for (uint256 i = 0; i < owners.length; ++i) owns[owners[i]] = true;
        THRESHOLD = threshold;
    }

    /// @notice Confirm a call; the last confirmation that is needed makes it.
    /// @param number tells apart the same call made twice
    function confirm(address to, bytes calldata data, uint256 number) external returns (bool done) {
        if (!owns[msg.sender]) revert NotAnOwner(msg.sender);
        bytes32 id = keccak256(abi.encode(to, data, number));
        if (made[id]) revert MadeBefore();
        if (_confirmed[id][msg.sender]) revert ConfirmedBefore();
        _confirmed[id][msg.sender] = true;
        if (++confirmations[id] < THRESHOLD) return false;
        made[id] = true;
        (bool ok, bytes memory answer) = to.call(data);
        if (!ok) revert CallFailed(answer);
        return true;
    }

    /// @notice ERC-1271: the signatures of `THRESHOLD` owners in ascending order of their addresses, 65 bytes each.
    function isValidSignature(bytes32 digest, bytes calldata signatures) external view returns (bytes4) {
        if (signatures.length != 65 * THRESHOLD) return 0xffffffff;
        address last = address(0);
        for (uint256 i = 0; i < THRESHOLD; ++i) {
            bytes calldata one = signatures[65 * i:65 * i + 65];
            address owner = ecrecover(digest, uint8(one[64]), bytes32(one[:32]), bytes32(one[32:64]));
            if (owner <= last || !owns[owner]) return 0xffffffff;
            last = owner;
        }
        return IERC1271.isValidSignature.selector;
    }
}
