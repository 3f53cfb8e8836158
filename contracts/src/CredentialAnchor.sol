// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {Nonces} from "@openzeppelin/contracts/utils/Nonces.sol";
import {InstitutionRegistry} from "./InstitutionRegistry.sol";

/// @title Puts the Merkle root of a batch of credentials on the chain
/// @notice A transaction whose data is exactly the 32-byte root anchors it for the registrar it comes from; an
/// institution may anchor batches of one kind by an ABI call, or sign and let a relayer pay. Every anchor gets
/// the next sequence number and is chained into {head}, so that an omitted or reordered one shows.
/// @dev Two slots of state whatever the number of anchors. docs/decisions/0002 says which duplicates are refused.
contract CredentialAnchor is InstitutionRegistry, EIP712, Nonces {
    /// @notice EIP-712 type of an anchor that a relayer pays for.
    bytes32 public constant ANCHOR_TYPEHASH =
        keccak256("Anchor(bytes32 root,bytes32 kind,address signer,uint256 nonce,uint256 deadline)");

    /// @dev `_state`: six 32-bit fingerprints of the latest roots | pause bit | 56-bit sequence number.
    uint256 private constant SEQUENCE_MASK = (1 << 56) - 1;
    uint256 private constant PAUSED_BIT = 1 << 56;
    uint256 private constant LANES_MASK = ~uint256(type(uint64).max);
    /// @dev One in each lane, and the top bit of each lane.
    uint256 private constant LANE_ONES = 1 << 64 | 1 << 96 | 1 << 128 | 1 << 160 | 1 << 192 | 1 << 224;
    uint256 private constant LANE_TOPS = LANE_ONES << 31;

    /// @notice {head} before the first anchor.
    // Constants and immutables alike are upper case here, as the Solidity style guide has constants.
    // slither-disable-next-line naming-convention
    bytes32 public immutable FIRST_HEAD;

    bytes32 private _head;
    uint256 private _state;

    /// @notice A root was anchored. `head` is keccak256(abi.encode(head before, root, institution, sequence)).
    event Anchored(
        bytes32 indexed root, bytes32 indexed institution, uint64 indexed sequence, bytes32 head, bytes32 kind
    );
    event AnchoringPaused();
    event AnchoringResumed();

    error ZeroRoot();
    /// @notice This institution anchored this root among the latest six anchors of all.
    error DuplicateRoot(bytes32 root);
    error SignerUnknown(address signer);
    error AnchoringIsPaused();
    error AnchoringNotPaused();
    /// @notice Another anchor came first: the caller expected to get `expected`, the next one is `next`.
    error SequenceMoved(uint64 expected, uint64 next);
    error SignatureExpired(uint256 deadline);
    error SignatureInvalid();
    error CallUnknown();

    constructor(uint48 delay, address admin, address authority)
        InstitutionRegistry(delay, admin, authority)
        EIP712("Baeum CredentialAnchor", "1")
    {
        bytes32 first = keccak256(abi.encode("baeum/head/0", block.chainid, address(this)));
        FIRST_HEAD = first;
        _head = first;
        // Never zero, so that the first anchor costs what every other costs.
        _state = uint256(keccak256(abi.encode(first))) & LANES_MASK;
    }

    /// @notice Anchors a root given as the whole calldata, for a registrar.
    fallback() external {
        if (msg.data.length != 32) revert CallUnknown();
        _anchor(bytes32(msg.data), REGISTRAR, msg.sender);
    }

    /// @notice Anchors the root of a batch that holds credentials of one kind (or any, for a registrar).
    function anchor(bytes32 root, bytes32 kind) external {
        _anchor(root, kind, msg.sender);
    }

    /// @notice As {anchor}, only if this anchor gets the sequence number the caller expects.
    function anchorAt(bytes32 root, bytes32 kind, uint64 expected) external {
        uint64 next = sequence() + 1;
        if (next != expected) revert SequenceMoved(expected, next);
        _anchor(root, kind, msg.sender);
    }

    /// @notice Anchors for `signer`, who signed {ANCHOR_TYPEHASH} with its current nonce; anyone may pay.
    /// @param signature ECDSA over the EIP-712 digest, or what `signer` accepts under ERC-1271 if it is a contract
    function anchorFor(bytes32 root, bytes32 kind, address signer, uint256 deadline, bytes calldata signature)
        external
    {
        // A deadline is minutes or more; the seconds a block proposer can shift do not matter.
        // slither-disable-next-line timestamp
        if (block.timestamp > deadline) revert SignatureExpired(deadline);
        bytes32 digest = _hashTypedDataV4(
            keccak256(abi.encode(ANCHOR_TYPEHASH, root, kind, signer, _useNonce(signer), deadline))
        );
        if (!SignatureChecker.isValidSignatureNowCalldata(signer, digest, signature)) revert SignatureInvalid();
        _anchor(root, kind, signer);
    }

    /// @notice Stop all anchoring.
    function pause() external onlyRole(GUARDIAN_ROLE) {
        if (paused()) revert AnchoringIsPaused();
        _state |= PAUSED_BIT;
        emit AnchoringPaused();
    }

    /// @notice Allow anchoring again.
    function resume() external onlyRole(GUARDIAN_ROLE) {
        if (!paused()) revert AnchoringNotPaused();
        _state &= ~PAUSED_BIT;
        emit AnchoringResumed();
    }

    /// @notice Hash chain over every anchor so far.
    function head() external view returns (bytes32) {
        return _head;
    }

    /// @notice How many anchors there are; the first has number 1.
    function sequence() public view returns (uint64) {
        return uint64(_state & SEQUENCE_MASK);
    }

    /// @notice Whether anchoring is stopped.
    function paused() public view returns (bool) {
        return _state & PAUSED_BIT != 0;
    }

    /// @notice Domain separator of the EIP-712 signatures {anchorFor} takes.
    function domainSeparator() external view returns (bytes32) {
        return _domainSeparatorV4();
    }

    function _anchor(bytes32 root, bytes32 kind, address signer) private {
        if (root == 0) revert ZeroRoot();
        bytes32 institution = _signers[signer];
        if (institution == 0) revert SignerUnknown(signer);
        _requireStanding(institution, kind);
        uint256 state = _state;
        if (state & PAUSED_BIT != 0) revert AnchoringIsPaused();

        bytes32 before = _head;
        bytes32 chained;
        uint256 fingerprint;
        uint256 ordinal;
        unchecked {
            // A sequence of 56 bits does not run out: that would be 72 quadrillion transactions.
            ordinal = (state & SEQUENCE_MASK) + 1;
        }
        // keccak256(abi.encode(before, root, institution, ordinal)), and of its two middle words: one buffer for
        // both, where Solidity would make two. The symbolic checks hold it to abi.encode.
        // slither-disable-next-line assembly
        assembly ("memory-safe") {
            let buffer := mload(0x40)
            mstore(buffer, before)
            mstore(add(buffer, 0x20), root)
            mstore(add(buffer, 0x40), institution)
            mstore(add(buffer, 0x60), ordinal)
            chained := keccak256(buffer, 0x80)
            fingerprint := and(keccak256(add(buffer, 0x20), 0x40), 0xffffffff)
        }
        unchecked {
            // A lane equal to the fingerprint becomes zero; the classic test for a zero lane in a word.
            uint256 lanes = (state ^ (fingerprint * LANE_ONES)) & LANES_MASK;
            if ((lanes - LANE_ONES) & ~lanes & LANE_TOPS != 0) revert DuplicateRoot(root);
        }
        _head = chained;
        _state = ((state & LANES_MASK) << 32) | (fingerprint << 64) | ordinal;
        emit Anchored(root, institution, uint64(ordinal), chained, kind);
    }
}
