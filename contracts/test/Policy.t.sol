// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IInstitutions} from "../src/IInstitutions.sol";
import {InstitutionRegistry} from "../src/InstitutionRegistry.sol";
import {PolicyRegistry} from "../src/PolicyRegistry.sol";
import {Invariants, Proof} from "./Proof.sol";

/// @notice Random histories of a PolicyRegistry, told beside it in plain arrays.
contract PolicyHandler is Proof {
    InstitutionRegistry private immutable REGISTRY;
    PolicyRegistry private immutable POLICY;

    struct Told {
        bytes32 digest;
        uint64 effective;
        uint64 recorded;
    }

    mapping(bytes32 policy => Told[]) private _told;
    mapping(address publisher => bool) private _may;
    address[3] private _accounts = [address(0xA1), address(0xA2), address(0xC1)];

    constructor() {
        REGISTRY = new InstitutionRegistry(0, address(this), address(0xA1));
        POLICY = new PolicyRegistry(IInstitutions(address(REGISTRY)));
        _may[address(0xA1)] = true;
    }

    // ------------------------------------------------------------------ what the fuzzer calls

    function publish(uint256 by, uint256 which, bytes32 digest, uint256 step) external {
        address account = _accounts[by % 3];
        bytes32 policy = bytes32(which % 3); // 0 is no policy
        Told[] storage told = _told[policy];
        uint64 last = told.length == 0 ? 1000 : told[told.length - 1].effective;
        uint64 effective = uint64(within(step, last - 2, last + 50));
        if (step % 31 == 0) effective = 0;
        if (step % 29 == 0) digest = 0;
        bytes4 refusal = NONE;
        if (!_may[account]) refusal = PolicyRegistry.NotAllowed.selector;
        else if (policy == 0 || digest == 0 || effective == 0) refusal = PolicyRegistry.ZeroValue.selector;
        else if (told.length != 0 && effective <= last) refusal = PolicyRegistry.NotInOrder.selector;
        // The length, the digest, and the two dates in one word.
        expect(
            account,
            address(POLICY),
            abi.encodeCall(PolicyRegistry.publish, (policy, digest, effective)),
            refusal,
            3,
            1
        );
        if (refusal == NONE) told.push(Told(digest, effective, uint64(block.timestamp)));
    }

    function allow(uint256 by, bool on) external {
        address account = _accounts[by % 2];
        bytes32 role = REGISTRY.POLICY_ROLE();
        if (on) REGISTRY.grantRole(role, account);
        else REGISTRY.revokeRole(role, account);
        _may[account] = on;
    }

    function wait_(uint16 seconds_) external {
        vm.warp(block.timestamp + seconds_);
    }

    // ------------------------------------------------------------------ what must always hold

    /// @param all look at every version ever published, not at the latest three only
    function check(bool all) external view {
        for (uint256 which = 0; which < 3; ++which) {
            bytes32 policy = bytes32(which);
            Told[] storage told = _told[policy];
            uint256 count = told.length;
            must(POLICY.versionsOf(policy) == count, "as many versions as were published");
            for (uint256 i = count; i > 0 && (all || i + 3 > count); --i) _checkVersion(policy, told[i - 1], i);
            _checkNone(policy, 0);
            _checkNone(policy, count + 1);
            (uint256 version, bytes32 digest, uint64 effective) = POLICY.policyAt(policy, 900);
            must(version == 0 && digest == 0 && effective == 0, "nothing is in force before the first version");
        }
    }

    function _checkVersion(bytes32 policy, Told storage told, uint256 i) private view {
        (bytes32 digest, uint64 effective, uint64 recorded) = POLICY.versionOf(policy, i);
        must(digest == told.digest && effective == told.effective, "a version never changes");
        must(recorded == told.recorded, "nor when it came on the chain");
        must(digest != 0 && effective != 0 && recorded != 0, "nothing is ever zero");
        (uint256 version, bytes32 same,) = POLICY.policyAt(policy, told.effective);
        must(version == i && same == digest, "in force from its first second");
        (version,,) = POLICY.policyAt(policy, told.effective - 1);
        must(version == i - 1, "and the one before it up to then");
    }

    function _checkNone(bytes32 policy, uint256 version) private view {
        try POLICY.versionOf(policy, version) {
            revert Broken("a version that is none");
        } catch (bytes memory answer) {
            must(bytes4(answer) == PolicyRegistry.NoVersion.selector, "another reason");
        }
    }
}

contract PolicyInvariants is Invariants {
    PolicyHandler private _handler;

    function setUp() external {
        vm.warp(1_800_000_000);
        _handler = new PolicyHandler();
        target(address(_handler));
    }

    function invariant_versions_are_appended_in_order_and_never_change() external view {
        _handler.check(false);
    }

    function afterInvariant() external view {
        _handler.check(true);
    }

    function test_there_is_no_policy_without_a_registry() external {
        try new PolicyRegistry(IInstitutions(address(0))) {
            revert Broken("made without a registry");
        } catch (bytes memory answer) {
            must(bytes4(answer) == PolicyRegistry.ZeroAddress.selector, "another reason");
        }
    }
}
