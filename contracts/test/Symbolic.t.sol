// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CredentialAnchor} from "../src/CredentialAnchor.sol";
import {IInstitutions} from "../src/IInstitutions.sol";
import {InstitutionRegistry} from "../src/InstitutionRegistry.sol";
import {PolicyRegistry} from "../src/PolicyRegistry.sol";
import {StatusRegistry} from "../src/StatusRegistry.sol";
import {Proof} from "./Proof.sol";

/// @notice halmos' own cheatcodes.
interface Svm {
    function createCalldata(string memory contractName) external pure returns (bytes memory);
}

/// @notice For halmos: each `check_` holds for every value of its arguments, not for those that were drawn.
abstract contract Symbolic is Proof {
    Svm internal constant svm = Svm(address(uint160(uint256(keccak256("svm cheat code")))));

    bytes32 internal constant SCHOOL = keccak256("school");
    bytes32 internal constant COURSE = keccak256("course");
    address internal constant AUTHORITY = address(0xA1);
    address internal constant ADMIN = address(0xAD);
    address internal constant SIGNER = address(0x51);

    function one(bytes32 kind) internal pure returns (bytes32[] memory kinds) {
        kinds = new bytes32[](1);
        kinds[0] = kind;
    }

    function good(uint8 code) internal pure returns (bool) {
        return code == 1 || code == 2;
    }
}

contract AnchorSymbolic is Symbolic {
    CredentialAnchor private _anchor;

    bytes32 private constant HEAD_SLOT = bytes32(uint256(17));
    bytes32 private constant STATE_SLOT = bytes32(uint256(18));

    function setUp() external {
        vm.warp(1_800_000_000);
        _anchor = new CredentialAnchor(100, ADMIN, AUTHORITY);
        vm.prank(AUTHORITY);
        _anchor.register(SCHOOL, 0, SIGNER, one(COURSE), 1000, 0);
    }

    /// @notice Whatever the head, the number and the six fingerprints are: what an anchor does to them if accepted.
    function check_an_anchor_chains_and_counts(bytes32 root, bytes32 before, uint256 state) external {
        (bool done,) = _anchorOnto(root, before, state);
        uint256 number = (state & ((1 << 56) - 1)) + 1;
        uint256 next = (((state >> 64) << 96) | (_print(root) << 64)) | number;
        assert(!done || (root != 0 && (state >> 56) & 1 == 0));
        assert(vm.load(address(_anchor), HEAD_SLOT) == (done ? keccak256(abi.encode(before, root, SCHOOL, number)) : before));
        // Bits 57 to 63 are never set by the contract.
        assert(vm.load(address(_anchor), STATE_SLOT) == bytes32(done ? next : state));
    }

    /// @notice A root whose fingerprint is in any of the six lanes is refused.
    function check_a_known_root_is_refused(bytes32 root, bytes32 before, uint256 state, uint8 lane) external {
        vm.assume(lane < 6);
        vm.assume((state >> (64 + 32 * uint256(lane))) & 0xffffffff == _print(root));
        (bool done,) = _anchorOnto(root, before, state);
        assert(!done);
    }

    /// @notice And no other is: the trick with the lanes has no false alarm of its own.
    function check_a_new_root_is_accepted(bytes32 root, bytes32 before, uint256 state) external {
        vm.assume(root != 0 && (state >> 56) & 1 == 0);
        uint256 print = _print(root);
        vm.assume((state >> 64) & 0xffffffff != print && (state >> 96) & 0xffffffff != print);
        vm.assume((state >> 128) & 0xffffffff != print && (state >> 160) & 0xffffffff != print);
        vm.assume((state >> 192) & 0xffffffff != print && (state >> 224) & 0xffffffff != print);
        (bool done,) = _anchorOnto(root, before, state);
        assert(done);
    }

    function _print(bytes32 root) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(root, SCHOOL))) & 0xffffffff;
    }

    function _anchorOnto(bytes32 root, bytes32 before, uint256 state) private returns (bool, bytes memory) {
        vm.assume(state & ((1 << 56) - 1) < (1 << 56) - 1);
        vm.store(address(_anchor), HEAD_SLOT, before);
        vm.store(address(_anchor), STATE_SLOT, bytes32(state));
        vm.prank(SIGNER);
        return address(_anchor).call(abi.encodeCall(CredentialAnchor.anchor, (root, COURSE)));
    }

    /// @notice The short way to ask for standing, one word read, never says another thing than the long way.
    function check_who_may_not_issue_now_cannot_anchor(
        bytes32 root,
        bytes32 kind,
        uint64 from,
        uint64 until,
        bool provisional,
        bool suspended,
        bool reinstated,
        uint32 later
    ) external {
        vm.assume(kind != COURSE);
        vm.prank(AUTHORITY);
        _anchor.accredit(SCHOOL, kind, from, until, provisional);
        if (suspended) {
            vm.prank(AUTHORITY);
            _anchor.suspend(SCHOOL);
            if (reinstated) {
                vm.prank(AUTHORITY);
                _anchor.reinstate(SCHOOL);
            }
        }
        vm.warp(block.timestamp + later);
        bool may = good(_anchor.standingOf(SCHOOL, kind, uint64(block.timestamp)));
        vm.prank(SIGNER);
        (bool done, bytes memory answer) = address(_anchor).call(abi.encodeCall(CredentialAnchor.anchor, (root, kind)));
        if (done) assert(may && root != 0);
        else assert(!may || root == 0 || bytes4(answer) == CredentialAnchor.DuplicateRoot.selector);
    }

    /// @notice No call at all by an account without a role and a signing address touches the history.
    function check_a_stranger_anchors_nothing(address someone) external {
        vm.assume(someone != ADMIN && someone != AUTHORITY && someone != SIGNER);
        (bytes32 head, uint64 number, bool paused) = (_anchor.head(), _anchor.sequence(), _anchor.paused());
        bytes memory data = svm.createCalldata("CredentialAnchor");
        vm.assume(bytes4(data) != CredentialAnchor.anchorFor.selector); // there the signature decides, not the caller
        vm.prank(someone);
        (bool done,) = address(_anchor).call(data);
        done;
        assert(_anchor.head() == head && _anchor.sequence() == number && _anchor.paused() == paused);
    }

    function check_a_stranger_anchors_nothing_by_raw_calldata(address someone, bytes32 root) external {
        vm.assume(someone != SIGNER);
        vm.prank(someone);
        (bool done,) = address(_anchor).call(abi.encodePacked(root | bytes32(uint256(0xffffffff) << 224)));
        assert(!done && _anchor.sequence() == 0);
    }
}

contract RegistrySymbolic is Symbolic {
    InstitutionRegistry private _registry;

    function setUp() external {
        vm.warp(1_800_000_000);
        _registry = new InstitutionRegistry(100, ADMIN, AUTHORITY);
        vm.prank(AUTHORITY);
        _registry.register(SCHOOL, h("did"), SIGNER, new bytes32[](0), 1000, 0);
    }

    /// @notice Ending, suspending, withdrawing, at whatever time and for whatever date: the past stays good.
    function check_taking_away_leaves_the_past(uint8 which, uint64 date, uint32 later, uint64 time) external {
        vm.prank(AUTHORITY);
        _registry.accredit(SCHOOL, COURSE, 1000, 0, false);
        vm.warp(block.timestamp + later);
        vm.assume(time >= 1000 && time < block.timestamp);
        bytes memory data = which == 0
            ? abi.encodeCall(InstitutionRegistry.endAccreditation, (SCHOOL, COURSE, date))
            : which == 1
                ? abi.encodeCall(InstitutionRegistry.suspend, (SCHOOL))
                : abi.encodeCall(InstitutionRegistry.withdraw, (SCHOOL, date, 0));
        vm.prank(AUTHORITY);
        (bool done,) = address(_registry).call(data);
        done;
        assert(_registry.standingOf(SCHOOL, COURSE, time) == 1);
    }

    /// @notice The same for any period, running, over or to come, and any new one.
    function check_an_accreditation_never_shortens_one_that_ran(
        uint64[2] memory from,
        uint64[2] memory until,
        uint32 later,
        uint64 time
    ) external {
        vm.prank(AUTHORITY);
        _registry.accredit(SCHOOL, COURSE, from[0], until[0], true);
        vm.warp(block.timestamp + later);
        vm.assume(time < block.timestamp);
        uint8 before = _registry.standingOf(SCHOOL, COURSE, time);
        vm.assume(good(before));
        vm.prank(AUTHORITY);
        (bool done,) = address(_registry).call(
            abi.encodeCall(InstitutionRegistry.accredit, (SCHOOL, COURSE, from[1], until[1], false))
        );
        done;
        assert(_registry.standingOf(SCHOOL, COURSE, time) == before);
    }

    /// @notice No call at all by an account without a role changes an answer, a key or a role.
    function check_a_stranger_changes_nothing(address someone, bytes32 kind, uint64 time, address other) external {
        vm.assume(someone != ADMIN && someone != AUTHORITY);
        bytes memory data = svm.createCalldata("InstitutionRegistry");
        vm.prank(someone);
        (bool done,) = address(_registry).call(data);
        done;
        assert(_registry.standingOf(SCHOOL, kind, time) == 3);
        assert(_registry.signerOf(other) == (other == SIGNER ? SCHOOL : bytes32(0)));
        assert(_registry.hasRole(keccak256("AUTHORITY_ROLE"), other) == (other == AUTHORITY));
        assert(_registry.hasRole(0, other) == (other == ADMIN) && _registry.defaultAdmin() == ADMIN);
        (bytes32 institution, uint64 from,) = _registry.didOf(h("did"));
        assert(institution == SCHOOL && from == 1000);
    }

    /// @notice A DID never changes its institution, whatever the authority calls.
    function check_a_did_stays_with_its_institution() external {
        bytes memory data = svm.createCalldata("InstitutionRegistry");
        vm.prank(AUTHORITY);
        (bool done,) = address(_registry).call(data);
        done;
        (bytes32 institution, uint64 from, uint64 until) = _registry.didOf(h("did"));
        assert(institution == SCHOOL && from == 1000 && until >= block.timestamp);
    }
}

contract StatusSymbolic is Symbolic {
    InstitutionRegistry private _registry;
    StatusRegistry private _status;

    function setUp() external {
        vm.warp(1_800_000_000);
        _registry = new InstitutionRegistry(100, ADMIN, AUTHORITY);
        _status = new StatusRegistry(IInstitutions(address(_registry)));
        vm.prank(AUTHORITY);
        _registry.register(SCHOOL, 0, SIGNER, new bytes32[](0), 1000, 0);
    }

    /// @notice Whatever its signer calls after a revocation: the revocation stays, and no other institution's word moves.
    function check_a_revocation_is_final(bytes32 list, uint256 index, uint256 bits, bytes32 other) external {
        vm.assume(other != SCHOOL && bits != 0);
        vm.prank(SIGNER);
        _status.revoke(list, index, bits);
        bytes memory data = svm.createCalldata("StatusRegistry");
        vm.prank(SIGNER);
        (bool done,) = address(_status).call(data);
        done;
        (uint256 revoked,) = _status.words(SCHOOL, list, index);
        assert(revoked & bits == bits);
        (uint256 theirs, uint256 suspended) = _status.words(other, list, index);
        assert(theirs == 0 && suspended == 0);
    }

    function check_nobody_else_writes(address someone, bytes32 list, uint256 index) external {
        vm.assume(someone != SIGNER);
        bytes memory data = svm.createCalldata("StatusRegistry");
        vm.prank(someone);
        (bool done,) = address(_status).call(data);
        done;
        (uint256 revoked, uint256 suspended) = _status.words(SCHOOL, list, index);
        (bytes32 digest,,) = _status.publishedOf(SCHOOL, list);
        assert(revoked == 0 && suspended == 0 && digest == 0);
    }
}

contract PolicySymbolic is Symbolic {
    InstitutionRegistry private _registry;
    PolicyRegistry private _policy;

    function setUp() external {
        vm.warp(1_800_000_000);
        _registry = new InstitutionRegistry(100, ADMIN, AUTHORITY);
        _policy = new PolicyRegistry(IInstitutions(address(_registry)));
    }

    /// @notice Whoever calls whatever after a version was published: that version stays, and comes before the next.
    function check_a_version_is_final(bytes32 digest, uint64 effective, address someone) external {
        vm.prank(AUTHORITY);
        _policy.publish(h("bachelor"), digest, effective);
        bytes memory data = svm.createCalldata("PolicyRegistry");
        vm.prank(someone);
        (bool done,) = address(_policy).call(data);
        done;
        (bytes32 same, uint64 since, uint64 recorded) = _policy.versionOf(h("bachelor"), 1);
        assert(same == digest && since == effective && recorded == block.timestamp);
        assert(digest != 0 && effective != 0);
        uint256 count = _policy.versionsOf(h("bachelor"));
        assert(count == 1 || (count == 2 && someone == AUTHORITY));
        if (count == 2) {
            (, uint64 next,) = _policy.versionOf(h("bachelor"), 2);
            assert(next > effective);
        }
    }
}
