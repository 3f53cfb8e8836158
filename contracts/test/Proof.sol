// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice The few of forge's cheatcodes the proofs use; halmos knows them as well.
interface Vm {
    function addr(uint256 key) external pure returns (address);
    function sign(uint256 key, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);
    function prank(address sender) external;
    function warp(uint256 time) external;
    function chainId(uint256 id) external;
    function deal(address account, uint256 wei_) external;
    function assume(bool condition) external pure;
    function load(address account, bytes32 slot) external view returns (bytes32);
    function store(address account, bytes32 slot, bytes32 value) external;
    function record() external;
    function accesses(address account) external returns (bytes32[] memory reads, bytes32[] memory writes);
    function recordLogs() external;
    function getRecordedLogs() external returns (Log[] memory);

    struct Log {
        bytes32[] topics;
        bytes data;
        address emitter;
    }
}

/// @title What every proof shares
/// @notice A step is taken with {expect}. It states all three parts of a property at once: *liveness*, a call whose
/// conditions hold must succeed; *effect*, checked by the caller afterwards; *no side effect*, not one more storage
/// slot is written than is named, no event comes that is not named, and what must be refused is refused for the
/// reason named, which undoes all of it.
abstract contract Proof {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    /// @dev "No refusal": the call must succeed.
    bytes4 internal constant NONE = 0;

    error Broken(string what);
    error RefusedWith(string what, bytes answer);

    function must(bool holds, string memory what) internal pure {
        if (!holds) revert Broken(what);
    }

    /// @param refusal selector of the error it must be refused with, or NONE
    /// @param slots how many storage slots of `to` it may write
    /// @param events how many events it must emit
    function expect(address from, address to, bytes memory data, bytes4 refusal, uint256 slots, uint256 events)
        internal
        returns (Vm.Log[] memory logs)
    {
        vm.record();
        vm.recordLogs();
        vm.prank(from);
        (bool done, bytes memory answer) = to.call(data);
        logs = vm.getRecordedLogs();
        if (refusal != NONE) {
            must(!done, "accepted what must be refused");
            if (bytes4(answer) != refusal) revert RefusedWith("refused for another reason", answer);
            return logs;
        }
        if (!done) revert RefusedWith("liveness: refused what must be accepted", answer);
        (, bytes32[] memory writes) = vm.accesses(to);
        must(distinct(writes) <= slots, "side effect: more storage written than the property names");
        must(logs.length == events, "effect: another number of events");
        for (uint256 i = 0; i < logs.length; ++i) {
            must(logs[i].emitter == to, "effect: an event of another contract");
        }
    }

    function distinct(bytes32[] memory slots) internal pure returns (uint256 count) {
        for (uint256 i = 0; i < slots.length; ++i) {
            bool seen = false;
            for (uint256 j = 0; j < i && !seen; ++j) seen = slots[j] == slots[i];
            if (!seen) ++count;
        }
    }

    /// @dev `x` brought into [low, high], so that the fuzzer wastes no input.
    function within(uint256 x, uint256 low, uint256 high) internal pure returns (uint256) {
        return low + x % (high - low + 1);
    }

    function h(string memory text) internal pure returns (bytes32) {
        return keccak256(bytes(text));
    }
}

/// @notice What forge asks an invariant test for: the contracts whose functions it calls at random.
abstract contract Invariants is Proof {
    address[] private _targets;

    function target(address handler) internal {
        _targets.push(handler);
    }

    function targetContracts() external view returns (address[] memory) {
        return _targets;
    }
}
