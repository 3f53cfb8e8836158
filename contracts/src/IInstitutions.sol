// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What the other contracts ask the InstitutionRegistry.
interface IInstitutions {
    /// @notice The institution an address signs for now, 0 when none.
    function signerOf(address signer) external view returns (bytes32 institution);

    /// @notice What an institution was allowed at a time.
    function standingOf(bytes32 institution, bytes32 scope, uint64 time) external view returns (uint8);

    /// @notice Whether an account holds a role.
    function hasRole(bytes32 role, address account) external view returns (bool);
}
