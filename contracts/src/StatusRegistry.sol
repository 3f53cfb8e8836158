// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IInstitutions} from "./IInstitutions.sol";

/// @title Revocation and suspension that nobody has to ask the issuer for
/// @notice 256 status bits a storage word, and the digest of each published status list. Words and digests
/// belong to the institution whose signing address wrote them. An institution may revoke what it issued even
/// after its accreditation ended, so signing for it is all that is asked here.
/// @dev Bit i of a list is bit (i mod 256), from the least significant, of word i / 256.
contract StatusRegistry {
    /// @notice Where signing addresses are looked up.
    // Constants and immutables alike are upper case here, as the Solidity style guide has constants.
    // slither-disable-next-line naming-convention
    IInstitutions public immutable REGISTRY;

    struct Published {
        bytes32 digest;
        uint64 publishedAt; // 0: nothing published
        uint64 version;
    }

    mapping(bytes32 institution => mapping(bytes32 list => mapping(uint256 word => uint256))) private _revoked;
    mapping(bytes32 institution => mapping(bytes32 list => mapping(uint256 word => uint256))) private _suspended;
    mapping(bytes32 institution => mapping(bytes32 list => Published)) private _published;

    /// @notice `word` is the whole word after the change.
    event Revoked(bytes32 indexed institution, bytes32 indexed list, uint256 index, uint256 word);
    event Suspended(bytes32 indexed institution, bytes32 indexed list, uint256 index, uint256 word);
    event ListPublished(bytes32 indexed institution, bytes32 indexed list, bytes32 digest, uint64 version);

    error ZeroAddress();
    error ZeroValue();
    error SignerUnknown(address signer);
    error NothingChanges();

    constructor(IInstitutions registry) {
        if (address(registry) == address(0)) revert ZeroAddress();
        REGISTRY = registry;
    }

    /// @notice Revoke up to 256 credentials; a revocation is final.
    /// @param bits the bits to add to the word
    function revoke(bytes32 list, uint256 index, uint256 bits) external {
        bytes32 institution = _sender();
        uint256 before = _revoked[institution][list][index];
        uint256 word = before | bits;
        if (word == before) revert NothingChanges();
        _revoked[institution][list][index] = word;
        emit Revoked(institution, list, index, word);
    }

    /// @notice Suspend or reinstate up to 256 credentials: set the whole word.
    function setSuspended(bytes32 list, uint256 index, uint256 word) external {
        bytes32 institution = _sender();
        if (_suspended[institution][list][index] == word) revert NothingChanges();
        _suspended[institution][list][index] = word;
        emit Suspended(institution, list, index, word);
    }

    /// @notice Put the digest of a published status list on record.
    function publish(bytes32 list, bytes32 digest) external {
        if (digest == 0) revert ZeroValue();
        bytes32 institution = _sender();
        Published storage latest = _published[institution][list];
        if (latest.digest == digest) revert NothingChanges();
        uint64 version = latest.version + 1;
        latest.digest = digest;
        latest.publishedAt = uint64(block.timestamp);
        latest.version = version;
        emit ListPublished(institution, list, digest, version);
    }

    /// @notice The status of one credential.
    function statusOf(bytes32 institution, bytes32 list, uint256 index)
        external
        view
        returns (bool revoked, bool suspended)
    {
        uint256 bit = 1 << (index & 255);
        revoked = _revoked[institution][list][index >> 8] & bit != 0;
        suspended = _suspended[institution][list][index >> 8] & bit != 0;
    }

    /// @notice Both words of 256 statuses.
    function words(bytes32 institution, bytes32 list, uint256 index)
        external
        view
        returns (uint256 revoked, uint256 suspended)
    {
        return (_revoked[institution][list][index], _suspended[institution][list][index]);
    }

    /// @notice The latest published digest of a list, when it was put on record, and which version it is.
    function publishedOf(bytes32 institution, bytes32 list)
        external
        view
        returns (bytes32 digest, uint64 publishedAt, uint64 version)
    {
        Published memory latest = _published[institution][list];
        return (latest.digest, latest.publishedAt, latest.version);
    }

    function _sender() private view returns (bytes32 institution) {
        institution = REGISTRY.signerOf(msg.sender);
        if (institution == 0) revert SignerUnknown(msg.sender);
    }
}
