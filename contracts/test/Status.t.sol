// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IInstitutions} from "../src/IInstitutions.sol";
import {InstitutionRegistry} from "../src/InstitutionRegistry.sol";
import {StatusRegistry} from "../src/StatusRegistry.sol";
import {Invariants, Proof} from "./Proof.sol";

/// @notice Random histories of a StatusRegistry, told beside it in plain mappings.
contract StatusHandler is Proof {
    InstitutionRegistry private immutable REGISTRY;
    StatusRegistry private immutable STATUS;

    mapping(bytes32 word => uint256) private _revoked;
    mapping(bytes32 word => uint256) private _suspended;
    mapping(bytes32 list => bytes32) private _digest;
    mapping(bytes32 list => uint64) private _version;
    mapping(bytes32 list => uint64) private _since;

    /// @dev Signers 0 to 3: of institution 0, of 0, of 1, of nobody.
    address[4] private _signers = [address(0xA1), address(0xA2), address(0xB1), address(0xC1)];
    bytes32[4] private _institutions = [h("one"), h("one"), h("two"), bytes32(0)];

    constructor() {
        REGISTRY = new InstitutionRegistry(0, address(this), address(this));
        STATUS = new StatusRegistry(IInstitutions(address(REGISTRY)));
        REGISTRY.register(h("one"), 0, _signers[0], new bytes32[](0), 1, 0);
        REGISTRY.register(h("two"), 0, _signers[2], new bytes32[](0), 1, 0);
        REGISTRY.addSigner(h("one"), _signers[1]);
    }

    // ------------------------------------------------------------------ what the fuzzer calls

    function revoke(uint256 by, uint256 list, uint256 index, uint256 bits) external {
        (address signer, bytes32 institution) = _who(by);
        (bytes32 name, uint256 word) = _where(list, index);
        if (bits % 3 == 0) bits = 1 << (bits >> 248); // one credential, the usual case
        bytes32 place = keccak256(abi.encode(institution, name, word));
        uint256 changed = _revoked[place] | bits;
        bytes4 refusal = institution == 0
            ? StatusRegistry.SignerUnknown.selector
            : changed == _revoked[place] ? StatusRegistry.NothingChanges.selector : NONE;
        expect(signer, address(STATUS), abi.encodeCall(StatusRegistry.revoke, (name, word, bits)), refusal, 1, 1);
        if (refusal == NONE) _revoked[place] = changed;
    }

    function setSuspended(uint256 by, uint256 list, uint256 index, uint256 bits) external {
        (address signer, bytes32 institution) = _who(by);
        (bytes32 name, uint256 word) = _where(list, index);
        if (bits % 3 == 0) bits = 0; // everybody reinstated
        bytes32 place = keccak256(abi.encode(institution, name, word));
        bytes4 refusal = institution == 0
            ? StatusRegistry.SignerUnknown.selector
            : bits == _suspended[place] ? StatusRegistry.NothingChanges.selector : NONE;
        expect(
            signer, address(STATUS), abi.encodeCall(StatusRegistry.setSuspended, (name, word, bits)), refusal, 1, 1
        );
        if (refusal == NONE) _suspended[place] = bits;
    }

    function publish(uint256 by, uint256 list, bytes32 digest) external {
        (address signer, bytes32 institution) = _who(by);
        (bytes32 name,) = _where(list, 0);
        bytes32 place = keccak256(abi.encode(institution, name));
        if (uint256(digest) % 5 == 0) digest = _digest[place]; // the same again, or zero
        bytes4 refusal = NONE;
        if (digest == 0) refusal = StatusRegistry.ZeroValue.selector;
        else if (institution == 0) refusal = StatusRegistry.SignerUnknown.selector;
        else if (digest == _digest[place]) refusal = StatusRegistry.NothingChanges.selector;
        expect(signer, address(STATUS), abi.encodeCall(StatusRegistry.publish, (name, digest)), refusal, 2, 1);
        if (refusal != NONE) return;
        _digest[place] = digest;
        _since[place] = uint64(block.timestamp);
        ++_version[place];
    }

    /// @dev A removed signing address writes nothing more; what it wrote stays.
    function removeSigner(uint256 by) external {
        by = by % 4;
        if (by > 1 || _institutions[by] == 0) return;
        REGISTRY.removeSigner(_signers[by]);
        _institutions[by] = 0;
    }

    /// @dev Accreditation has no say here: a suspended or withdrawn institution still revokes what it issued.
    function suspendInstitution(bool withdrawn) external {
        (, uint64 suspendedAt, uint64 withdrawnAt,) = REGISTRY.institutionOf(h("two"));
        if (suspendedAt == 0 && withdrawnAt == 0) REGISTRY.suspend(h("two"));
        if (withdrawn && withdrawnAt == 0) REGISTRY.withdraw(h("two"), uint64(block.timestamp), 0);
    }

    function wait_(uint16 seconds_) external {
        vm.warp(block.timestamp + seconds_);
    }

    // ------------------------------------------------------------------ what must always hold

    function check() external view {
        for (uint256 i = 0; i < 3; ++i) {
            bytes32 institution = i == 0 ? h("one") : i == 1 ? h("two") : bytes32(0);
            for (uint256 list = 0; list < 2; ++list) {
                _checkList(institution, bytes32(list + 1));
                for (uint256 word = 0; word < 2; ++word) _checkWord(institution, bytes32(list + 1), word);
            }
        }
    }

    function _checkList(bytes32 institution, bytes32 list) private view {
        bytes32 place = keccak256(abi.encode(institution, list));
        (bytes32 digest, uint64 since, uint64 version) = STATUS.publishedOf(institution, list);
        must(digest == _digest[place] && version == _version[place], "the published digest is the latest");
        must(since == _since[place], "and is dated");
        must((digest == 0) == (version == 0) && (since == 0) == (version == 0), "nothing published is ever zero");
    }

    function _checkWord(bytes32 institution, bytes32 list, uint256 word) private view {
        bytes32 place = keccak256(abi.encode(institution, list, word));
        (uint256 revoked, uint256 suspended) = STATUS.words(institution, list, word);
        // `_revoked` only ever gains bits, so this is also: nothing is un-revoked.
        must(revoked == _revoked[place], "the word of revocations is what was revoked");
        must(suspended == _suspended[place], "the word of suspensions is what was set last");
        uint256 bit = uint256(keccak256(abi.encode(revoked, suspended, place))) & 255;
        (bool isRevoked, bool isSuspended) = STATUS.statusOf(institution, list, (word << 8) | bit);
        must(isRevoked == ((revoked >> bit) & 1 == 1), "statusOf is the bit of the word");
        must(isSuspended == ((suspended >> bit) & 1 == 1), "statusOf is the bit of the word");
    }

    function _who(uint256 by) private view returns (address, bytes32) {
        return (_signers[by % 4], _institutions[by % 4]);
    }

    function _where(uint256 list, uint256 index) private pure returns (bytes32, uint256) {
        return (bytes32(list % 2 + 1), index % 2);
    }
}

contract StatusInvariants is Invariants {
    StatusHandler private _handler;

    function setUp() external {
        vm.warp(1_800_000_000);
        _handler = new StatusHandler();
        target(address(_handler));
    }

    function invariant_status_is_what_was_written_by_its_institution() external view {
        _handler.check();
    }

    function test_there_is_no_status_without_a_registry() external {
        try new StatusRegistry(IInstitutions(address(0))) {
            revert Broken("made without a registry");
        } catch (bytes memory answer) {
            must(bytes4(answer) == StatusRegistry.ZeroAddress.selector, "another reason");
        }
    }
}
