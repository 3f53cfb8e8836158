// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CredentialAnchor} from "../src/CredentialAnchor.sol";
import {InstitutionRegistry} from "../src/InstitutionRegistry.sol";
import {Multisig} from "./Multisig.sol";
import {Invariants, Proof, Vm} from "./Proof.sol";

/// @notice Random histories of a CredentialAnchor. The history of anchors is told beside it: roots, institutions,
/// the chained head, nonces. Whether an institution may anchor is asked of {InstitutionRegistry.standingOf}, the long
/// way, which Registry.t.sol compares with a telling of its own: so the short way in the contract is held to it.
contract AnchorHandler is Proof {
    CredentialAnchor public immutable ANCHOR;

    bytes32 private constant COURSE = keccak256("course");
    bytes32 private constant REGISTRAR = keccak256("registrar");
    bytes32 private immutable TERM = keccak256(abi.encode(COURSE, h("ai"), h("2026-1")));
    uint256 private constant ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
    bytes32 private constant ANCHORED = keccak256("Anchored(bytes32,bytes32,uint64,bytes32,bytes32)");
    bytes32 private constant DOMAIN =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant TYPE =
        keccak256("Anchor(bytes32 root,bytes32 kind,address signer,uint256 nonce,uint256 deadline)");

    struct Anchored {
        bytes32 root;
        bytes32 institution;
        bytes32 kind;
        uint64 time;
    }

    struct Relayed {
        bytes32 root;
        bytes32 kind;
        address signer;
        uint256 deadline;
        bytes signature;
    }

    Anchored[] private _anchored;
    uint256 private _events;
    bytes32 private _head;
    bool private _paused;
    mapping(address signer => uint256) private _nonces;
    mapping(address signer => bytes32) private _signs;
    Relayed private _last;

    /// @dev Keys of signing addresses 0 to 3; 4 is the contract of two of three owners.
    uint256[4] private _keys = [uint256(0xA11CE), 0xB0B, 0xCAFE, 0xDEAD];
    address private immutable MULTISIG;

    constructor() {
        ANCHOR = new CredentialAnchor(100, address(this), address(this));
        address[] memory owners = new address[](3);
        for (uint256 i = 0; i < 3; ++i) owners[i] = vm.addr(_owner(i));
        MULTISIG = address(new Multisig(owners, 2));
        bytes32[] memory kinds = new bytes32[](2);
        (kinds[0], kinds[1]) = (REGISTRAR, COURSE);
        for (uint256 i = 0; i < 3; ++i) ANCHOR.register(bytes32(i + 1), 0, address(0), kinds, 1000, 0);
        for (uint256 i = 0; i < 5; ++i) {
            if (i == 3) continue; // signs for nobody
            ANCHOR.addSigner(bytes32(i % 3 + 1), _signer(i));
            _signs[_signer(i)] = bytes32(i % 3 + 1);
        }
        _head = keccak256(abi.encode("baeum/head/0", block.chainid, address(ANCHOR)));
        must(ANCHOR.FIRST_HEAD() == _head && ANCHOR.head() == _head, "effect: the first head");
    }

    // ------------------------------------------------------------------ what the fuzzer calls: anchoring

    function anchorRaw(uint256 by, bytes32 root, uint256 again) external {
        root = _root(root, again);
        _take(_signer(by), abi.encodePacked(root), _refusal(_signer(by), root, REGISTRAR), 2, root, REGISTRAR);
    }

    function anchorCall(uint256 by, bytes32 root, uint256 again, uint256 what) external {
        root = _root(root, again);
        bytes memory call = abi.encodeCall(CredentialAnchor.anchor, (root, _kind(what)));
        _take(_signer(by), call, _refusal(_signer(by), root, _kind(what)), 2, root, _kind(what));
    }

    function anchorAt(uint256 by, bytes32 root, uint256 again, uint256 number) external {
        root = _root(root, again);
        uint64 next = uint64(_anchored.length) + 1;
        uint64 expected = number % 4 == 0 ? uint64(number >> 2) : number % 4 == 1 ? next - 1 : next;
        bytes4 refusal = expected == next
            ? _refusal(_signer(by), root, COURSE)
            : CredentialAnchor.SequenceMoved.selector;
        bytes memory call = abi.encodeCall(CredentialAnchor.anchorAt, (root, COURSE, expected));
        _take(_signer(by), call, refusal, 2, root, COURSE);
    }

    /// @dev Anybody pays, the signature counts.
    function relay(uint256 by, bytes32 root, uint256 again, uint256 what, uint256 late) external {
        Relayed memory call;
        call.root = _root(root, again);
        call.kind = _kind(what);
        call.signer = _signer(by);
        call.deadline = block.timestamp + late % 50;
        call.signature = _sign(by, _digest(call, _nonces[call.signer], block.chainid, address(ANCHOR)));
        bytes4 refusal = _refusal(call.signer, call.root, call.kind);
        if (late % 11 == 0) {
            vm.warp(call.deadline + 1);
            refusal = CredentialAnchor.SignatureExpired.selector;
        }
        _take(address(0xFEE), _encoded(call), refusal, 3, call.root, call.kind);
        if (refusal == NONE) {
            ++_nonces[call.signer];
            _last = call;
        }
    }

    /// @dev The signature is good for something else: another root, nonce, signer, chain …; or is not one.
    function relayCorrupted(uint256 by, bytes32 root, uint256 how, uint256 flip) external {
        Relayed memory call = Relayed(_root(root, 1), COURSE, _signer(by), block.timestamp + 50, "");
        uint256 nonce = _nonces[call.signer];
        uint256 chain = block.chainid;
        address to = address(ANCHOR);
        how = how % 14;
        Relayed memory signed = Relayed(call.root, call.kind, call.signer, call.deadline, "");
        if (how == 0) signed.root = bytes32(uint256(signed.root) ^ (1 << (flip % 256)));
        if (how == 1) signed.kind = REGISTRAR;
        if (how == 2) signed.signer = address(uint160(signed.signer) ^ uint160(1 << (flip % 160)));
        if (how == 3) signed.deadline += 1 + flip % 1000;
        if (how == 4) nonce += 1 + flip % 1000;
        if (how == 5) chain += 1 + flip % 1000;
        if (how == 6) to = address(uint160(to) ^ uint160(1 << (flip % 160)));
        call.signature = _sign(by, _digest(signed, nonce, chain, to));
        // Past the recovery byte of the first signature nothing but the bytes themselves counts.
        if (how == 7) call.signature[flip % 64] ^= bytes1(uint8(1 << (flip >> 8) % 8));
        if (how == 8) call.signature = _cut(call.signature, flip % call.signature.length);
        if (how == 9) call.signature = bytes.concat(call.signature, bytes1(uint8(flip)));
        if (how == 10) _twin(call.signature);
        if (how == 11) call.signature = _sign(by % 5 + 1, _digest(signed, nonce, chain, to));
        if (how == 12) call.signature = new bytes(65);
        if (how == 13) call.signature[64] = bytes1(uint8(flip % 27));
        if (how == 11 && _signer(by % 5 + 1) == MULTISIG) return;
        _take(address(0xFEE), _encoded(call), CredentialAnchor.SignatureInvalid.selector, 0, call.root, COURSE);
    }

    function replay(bool onAnotherChain, bool fresh) external {
        if (_last.signer == address(0)) return;
        uint256 home = block.chainid;
        bytes4 refusal = block.timestamp > _last.deadline
            ? CredentialAnchor.SignatureExpired.selector
            : CredentialAnchor.SignatureInvalid.selector;
        if (onAnotherChain) vm.chainId(home + 1);
        if (fresh) {
            // On a new deployment the nonce is good again; the contract's address in the domain is not.
            CredentialAnchor other = new CredentialAnchor(100, address(this), address(this));
            expect(address(0xFEE), address(other), _encoded(_last), refusal, 0, 0);
        } else {
            _take(address(0xFEE), _encoded(_last), refusal, 0, _last.root, _last.kind);
        }
        vm.chainId(home);
    }

    /// @dev Calldata that is neither a call nor 32 bytes, coins, and calls of what only the roles may do.
    function stranger(uint256 how, bytes calldata data, uint256 wei_) external {
        address someone = address(0x57A);
        how = how % 5;
        if (how == 0) {
            if (data.length == 32 || data.length > 3) return;
            expect(someone, address(ANCHOR), data, CredentialAnchor.CallUnknown.selector, 0, 0);
        } else if (how == 1) {
            someone = _signer(wei_);
            vm.deal(someone, 1 ether);
            bytes32 root = _root(keccak256(data), 1);
            vm.prank(someone);
            (bool done,) = address(ANCHOR).call{value: within(wei_, 1, 1 ether)}(abi.encodePacked(root));
            must(!done && address(ANCHOR).balance == 0, "coins were taken");
        } else if (how == 2) {
            _take(someone, abi.encodePacked(_root(keccak256(data), 1)), CredentialAnchor.SignerUnknown.selector, 0, 0, 0);
        } else if (how == 3) {
            expect(someone, address(ANCHOR), abi.encodeCall(CredentialAnchor.pause, ()), UNAUTHORISED, 0, 0);
        } else {
            expect(someone, address(ANCHOR), abi.encodeCall(CredentialAnchor.resume, ()), UNAUTHORISED, 0, 0);
        }
        _same();
    }

    bytes4 private constant UNAUTHORISED = bytes4(keccak256("AccessControlUnauthorizedAccount(address,bytes32)"));

    function pause(uint256 wanted) external {
        bool on = wanted % 3 == 0;
        bytes4 refusal = NONE;
        if (on && _paused) refusal = CredentialAnchor.AnchoringIsPaused.selector;
        if (!on && !_paused) refusal = CredentialAnchor.AnchoringNotPaused.selector;
        bytes memory call =
            on ? abi.encodeCall(CredentialAnchor.pause, ()) : abi.encodeCall(CredentialAnchor.resume, ());
        expect(address(this), address(ANCHOR), call, refusal, 1, 1);
        _paused = on;
        _same();
    }

    // ------------------------------------------------------------------ what the fuzzer calls: the registry

    // Each takes standing away or gives it after a second, so that what was anchored before is before. Whether it may
    // be done is Registry.t.sol's business; here it only must not touch the anchors.

    function suspend(uint256 who, bool on) external {
        bytes32 institution = bytes32(who % 3 + 1);
        _change(
            on
                ? abi.encodeCall(InstitutionRegistry.suspend, (institution))
                : abi.encodeCall(InstitutionRegistry.reinstate, (institution))
        );
    }

    function accredit(uint256 who, uint256 what, uint256 start, uint256 length, bool provisional) external {
        bytes32 institution = bytes32(who % 3 + 1);
        uint64 from = uint64(block.timestamp + 1 + start % 8);
        uint64 until = length % 2 == 0 ? 0 : from + uint64(length % 500);
        if (what % 3 != 0) {
            _change(
                abi.encodeCall(InstitutionRegistry.accredit, (institution, _kind(what), from, until, provisional))
            );
        } else {
            _change(
                abi.encodeCall(
                    InstitutionRegistry.accreditScope,
                    (institution, COURSE, h("ai"), h("2026-1"), from, until, provisional)
                )
            );
        }
    }

    function delegate(uint256 who, uint256 what, uint256 start, uint256 length) external {
        uint64 from = uint64(block.timestamp + 1 + start % 8);
        _change(
            abi.encodeCall(
                InstitutionRegistry.delegate,
                (bytes32(who % 3 + 1), _kind(what), bytes32((who % 3 + 1) % 3 + 1), from, from + uint64(length % 500))
            )
        );
    }

    function end(uint256 who, uint256 what, uint256 when, bool all) external {
        bytes32 institution = bytes32(who % 3 + 1);
        uint64 time = uint64(block.timestamp + 1 + when % 60);
        if (!all) _change(abi.encodeCall(InstitutionRegistry.endAccreditation, (institution, _kind(what), time)));
        // Final for the institution, so it is kept rare.
        else if (when % 16 == 0) _change(abi.encodeCall(InstitutionRegistry.withdraw, (institution, time, 0)));
    }

    function _change(bytes memory encoded) private {
        vm.warp(block.timestamp + 1);
        (bool done,) = address(ANCHOR).call(encoded);
        done;
        _same();
    }

    function removeSigner(uint256 which) external {
        address signer = _signer(which);
        if (which % 5 > 1 || _signs[signer] == 0) return;
        vm.warp(block.timestamp + 1);
        ANCHOR.removeSigner(signer);
        _signs[signer] = 0;
    }

    function wait_(uint256 seconds_) external {
        vm.warp(block.timestamp + seconds_ % 100);
    }

    // ------------------------------------------------------------------ what must always hold

    function check() public view {
        _same();
        must(_events == _anchored.length, "the sequence is the number of Anchored events");
        must(ANCHOR.head() != 0, "the head is never zero");
        must(ANCHOR.FIRST_HEAD() == keccak256(abi.encode("baeum/head/0", block.chainid, address(ANCHOR))), "first head");
        for (uint256 i = 0; i < 5; ++i) {
            must(ANCHOR.nonces(_signer(i)) == _nonces[_signer(i)], "a nonce for each relayed anchor, and no other");
        }
    }

    /// @dev Whoever has the events alone comes to the same head; and all that was anchored was allowed, still.
    function checkHistory() external view {
        check();
        bytes32 head = ANCHOR.FIRST_HEAD();
        for (uint256 i = 0; i < _anchored.length; ++i) {
            Anchored storage one = _anchored[i];
            must(one.root != 0 && one.institution != 0 && one.kind != 0, "nothing is ever zero");
            head = keccak256(abi.encode(head, one.root, one.institution, i + 1));
            uint8 code = ANCHOR.standingOf(one.institution, one.kind, one.time);
            must(code == 1 || code == 2, "what was issued under a valid accreditation stays good");
        }
        must(head == ANCHOR.head(), "the head is the chain of all anchors");
    }

    function _same() private view {
        must(ANCHOR.sequence() == _anchored.length, "the sequence counts the anchors");
        must(ANCHOR.head() == _head, "the head is chained");
        must(ANCHOR.paused() == _paused, "paused when paused");
    }

    function _take(address sender, bytes memory call, bytes4 refusal, uint256 slots, bytes32 root, bytes32 kind)
        private
    {
        Vm.Log[] memory logs = expect(sender, address(ANCHOR), call, refusal, slots, 1);
        if (refusal == NONE) {
            address signer = slots == 3 ? _relayedBy(call) : sender;
            bytes32 institution = _signs[signer];
            _anchored.push(Anchored(root, institution, kind, uint64(block.timestamp)));
            ++_events;
            _head = keccak256(abi.encode(_head, root, institution, _anchored.length));
            bytes32[] memory topics = logs[0].topics;
            must(topics.length == 4 && topics[0] == ANCHORED, "effect: the event");
            must(topics[1] == root && topics[2] == institution, "effect: what was anchored, and by whom");
            must(uint256(topics[3]) == _anchored.length, "effect: its number");
            must(keccak256(logs[0].data) == keccak256(abi.encode(_head, kind)), "effect: head and kind");
        }
        _same();
    }

    /// @dev What anchoring must be refused with, NONE when it must succeed.
    function _refusal(address signer, bytes32 root, bytes32 kind) private view returns (bytes4) {
        if (root == 0) return CredentialAnchor.ZeroRoot.selector;
        bytes32 institution = _signs[signer];
        if (institution == 0) return CredentialAnchor.SignerUnknown.selector;
        uint8 code = ANCHOR.standingOf(institution, kind, uint64(block.timestamp));
        if (code != 1 && code != 2) return InstitutionRegistry.NotAccredited.selector;
        if (_paused) return CredentialAnchor.AnchoringIsPaused.selector;
        uint256 count = _anchored.length;
        for (uint256 i = count; i > 0 && i + 6 > count; --i) {
            if (_anchored[i - 1].root == root && _anchored[i - 1].institution == institution) {
                return CredentialAnchor.DuplicateRoot.selector;
            }
        }
        return NONE;
    }

    // ------------------------------------------------------------------ inside

    /// @dev Mostly a new root; often one of the latest eight again; sometimes zero.
    function _root(bytes32 root, uint256 again) private view returns (bytes32) {
        if (again % 37 == 0) return 0;
        uint256 back = (again >> 8) % 8 + 1;
        if (again % 3 == 0 && back <= _anchored.length) return _anchored[_anchored.length - back].root;
        // Not one that begins like a function's selector, which the fuzzer likes to offer; as good as new each time.
        return keccak256(abi.encode(root, _anchored.length)) | bytes32(uint256(0xff) << 248);
    }

    function _kind(uint256 what) private view returns (bytes32) {
        return what % 4 == 0 ? TERM : what % 4 == 1 ? REGISTRAR : COURSE;
    }

    function _signer(uint256 which) private view returns (address) {
        return which % 5 == 4 ? MULTISIG : vm.addr(_keys[which % 5]);
    }

    function _owner(uint256 i) private pure returns (uint256) {
        return 0x0117 + i;
    }

    function _encoded(Relayed memory call) private pure returns (bytes memory) {
        return abi.encodeCall(
            CredentialAnchor.anchorFor, (call.root, call.kind, call.signer, call.deadline, call.signature)
        );
    }

    /// @dev The third argument of {CredentialAnchor.anchorFor}.
    function _relayedBy(bytes memory encoded) private pure returns (address signer) {
        assembly ("memory-safe") {
            signer := mload(add(encoded, 0x64))
        }
    }

    function _digest(Relayed memory call, uint256 nonce, uint256 chain, address to) private pure returns (bytes32) {
        bytes32 domain =
            keccak256(abi.encode(DOMAIN, keccak256("Baeum CredentialAnchor"), keccak256("1"), chain, to));
        bytes32 message = keccak256(abi.encode(TYPE, call.root, call.kind, call.signer, nonce, call.deadline));
        return keccak256(abi.encodePacked(hex"1901", domain, message));
    }

    function _sign(uint256 by, bytes32 digest) private view returns (bytes memory) {
        if (by % 5 != 4) return _ecdsa(_keys[by % 5], digest);
        (uint256 low, uint256 high) = (_owner(0), _owner(1));
        if (vm.addr(low) > vm.addr(high)) (low, high) = (high, low);
        return bytes.concat(_ecdsa(low, digest), _ecdsa(high, digest));
    }

    function _ecdsa(uint256 key, bytes32 digest) private pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    /// @dev The other signature ECDSA accepts for the same message; of a contract's, one owner left out.
    function _twin(bytes memory signature) private pure {
        if (signature.length != 65) {
            signature[64] = 0;
            return;
        }
        uint256 s;
        assembly ("memory-safe") {
            s := mload(add(signature, 0x40))
        }
        s = ORDER - s;
        assembly ("memory-safe") {
            mstore(add(signature, 0x40), s)
        }
        signature[64] = bytes1(55 - uint8(signature[64]));
    }

    function _cut(bytes memory whole, uint256 length) private pure returns (bytes memory part) {
        part = new bytes(length);
        for (uint256 i = 0; i < length; ++i) part[i] = whole[i];
    }
}

contract AnchorInvariants is Invariants {
    AnchorHandler private _handler;

    function setUp() external {
        vm.warp(1_800_000_000);
        _handler = new AnchorHandler();
        target(address(_handler));
    }

    function invariant_head_and_sequence_are_the_history() external view {
        _handler.check();
    }

    function afterInvariant() external view {
        _handler.checkHistory();
    }
}
