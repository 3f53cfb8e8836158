// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IInstitutions} from "./IInstitutions.sol";

/// @title Which degree policy was in force when
/// @notice Digest and effective date of each version of each degree policy, append-only. A degree credential
/// names its version; anyone can compare the rules they recompute with against the digest here.
contract PolicyRegistry {
    /// @notice Role (kept by the InstitutionRegistry) that may publish.
    bytes32 public constant POLICY_ROLE = keccak256("POLICY_ROLE");

    /// @notice Where the role is looked up.
    // Constants and immutables alike are upper case here, as the Solidity style guide has constants.
    // slither-disable-next-line naming-convention
    IInstitutions public immutable REGISTRY;

    struct Version {
        bytes32 digest;
        uint64 effective; // Unix seconds
        uint64 recorded; // when it came on the chain: a back-dated version shows
    }

    // {publish} writes it, through a storage pointer, which the detector does not follow.
    // slither-disable-next-line uninitialized-state
    mapping(bytes32 policy => Version[]) private _versions;

    /// @notice Versions count from 1.
    event PolicyPublished(bytes32 indexed policy, uint256 indexed version, bytes32 digest, uint64 effective);

    error ZeroAddress();
    error ZeroValue();
    error NotAllowed(address account);
    /// @notice A version takes effect after the one before it.
    error NotInOrder(uint64 effective, uint64 previous);
    error NoVersion(bytes32 policy, uint256 version);

    constructor(IInstitutions registry) {
        if (address(registry) == address(0)) revert ZeroAddress();
        REGISTRY = registry;
    }

    /// @notice Put the next version of a policy on record.
    /// @param policy keccak256 of the policy's name
    /// @param effective first second it is in force
    function publish(bytes32 policy, bytes32 digest, uint64 effective) external {
        if (!REGISTRY.hasRole(POLICY_ROLE, msg.sender)) revert NotAllowed(msg.sender);
        if (policy == 0 || digest == 0 || effective == 0) revert ZeroValue();
        Version[] storage versions = _versions[policy];
        uint256 count = versions.length;
        if (count != 0 && effective <= versions[count - 1].effective) {
            revert NotInOrder(effective, versions[count - 1].effective);
        }
        versions.push(Version({digest: digest, effective: effective, recorded: uint64(block.timestamp)}));
        emit PolicyPublished(policy, count + 1, digest, effective);
    }

    /// @notice How many versions a policy has.
    function versionsOf(bytes32 policy) external view returns (uint256) {
        return _versions[policy].length;
    }

    /// @notice One version; counts from 1.
    function versionOf(bytes32 policy, uint256 version)
        external
        view
        returns (bytes32 digest, uint64 effective, uint64 recorded)
    {
        if (version == 0 || version > _versions[policy].length) revert NoVersion(policy, version);
        Version memory found = _versions[policy][version - 1];
        return (found.digest, found.effective, found.recorded);
    }

    /// @notice The version in force at a time, zeros when none was yet.
    function policyAt(bytes32 policy, uint64 time)
        external
        view
        returns (uint256 version, bytes32 digest, uint64 effective)
    {
        Version[] storage versions = _versions[policy];
        for (uint256 i = versions.length; i > 0; --i) {
            Version memory found = versions[i - 1];
            if (found.effective <= time) return (i, found.digest, found.effective);
        }
    }
}
