// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {IAccessControlDefaultAdminRules} from
    "@openzeppelin/contracts/access/extensions/IAccessControlDefaultAdminRules.sol";
import {InstitutionRegistry} from "../src/InstitutionRegistry.sol";
import {Invariants, Proof} from "./Proof.sol";

/// @notice What the registry was told, kept as lists of periods and answered by looking through all of them. It
/// shares the rules with the contract and nothing else: no current word, no flags, no short way.
abstract contract Told is Proof {
    uint8 internal constant UNKNOWN_DID = 0;
    uint8 internal constant ACCREDITED = 1;
    uint8 internal constant PROVISIONAL = 2;
    uint8 internal constant NOT_ACCREDITED = 3;
    uint8 internal constant SUSPENDED = 4;
    uint8 internal constant ENDED = 5;
    uint8 internal constant KEY_NOT_VALID = 6;
    uint64 internal constant FOREVER = type(uint40).max;

    struct Spell {
        uint64 start;
        uint64 end;
        bool provisional;
        bytes32 delegator;
    }

    struct Institution {
        uint64 registered;
        uint64 withdrawn;
        bytes32 successor;
        uint256 kinds;
        Spell[] suspensions;
    }

    mapping(bytes32 institution => Institution) internal _institutions;
    mapping(bytes32 institution => mapping(bytes32 scope => Spell[])) internal _spells;
    mapping(bytes32 institution => mapping(bytes32 scope => bool)) internal _listed;

    function told(bytes32 institution, bytes32 scope, uint64 time, bool asDelegator) internal view returns (uint8) {
        Spell[] storage spells = _spells[institution][scope];
        uint8 code = NOT_ACCREDITED;
        Spell memory found;
        for (uint256 i = 0; i < spells.length; ++i) {
            Spell memory spell = spells[i];
            if (spell.start <= time && time < spell.end) (code, found) = (ACCREDITED, spell);
            else if (spell.end <= time && code != ACCREDITED) code = ENDED;
        }
        if (code != ACCREDITED) return code;
        uint64 withdrawn = _institutions[institution].withdrawn;
        if (withdrawn != 0 && time >= withdrawn) return ENDED;
        if (isSuspended(institution, time)) return SUSPENDED;
        if (found.delegator != 0) {
            if (asDelegator) return NOT_ACCREDITED;
            uint8 theirs = told(found.delegator, scope, time, true);
            if (!good(theirs)) return theirs == SUSPENDED ? SUSPENDED : ENDED;
        }
        return found.provisional ? PROVISIONAL : ACCREDITED;
    }

    function isSuspended(bytes32 institution, uint64 time) internal view returns (bool) {
        Spell[] storage suspensions = _institutions[institution].suspensions;
        for (uint256 i = 0; i < suspensions.length; ++i) {
            if (suspensions[i].start <= time && time < suspensions[i].end) return true;
        }
        return false;
    }

    function openSuspension(bytes32 institution) internal view returns (bool) {
        Spell[] storage suspensions = _institutions[institution].suspensions;
        return suspensions.length != 0 && suspensions[suspensions.length - 1].end == FOREVER;
    }

    function good(uint8 code) internal pure returns (bool) {
        return code == ACCREDITED || code == PROVISIONAL;
    }

    /// @dev What {InstitutionRegistry._existing} refuses with.
    function existing(bytes32 institution) internal view returns (bytes4) {
        Institution storage found = _institutions[institution];
        if (found.registered == 0) return InstitutionRegistry.UnknownInstitution.selector;
        if (found.withdrawn != 0 && block.timestamp >= found.withdrawn) {
            return InstitutionRegistry.InstitutionGone.selector;
        }
        return NONE;
    }

    /// @dev Whether a new spell fits behind those there are, and whether it replaces the last one.
    function fits(bytes32 institution, bytes32 scope, uint64 start, uint64 end)
        internal
        view
        returns (bytes4 refusal, bool replaces)
    {
        if (start >= FOREVER || end > FOREVER) return (InstitutionRegistry.TimeOutOfRange.selector, false);
        if (end <= start) return (InstitutionRegistry.EmptyPeriod.selector, false);
        Spell[] storage spells = _spells[institution][scope];
        uint256 count = spells.length;
        if (count == 0) return (NONE, false);
        Spell storage last = spells[count - 1];
        if (start > last.start) {
            if (start < last.end && start < block.timestamp) return (InstitutionRegistry.PastIsFixed.selector, false);
            return (NONE, false);
        }
        if (last.start <= block.timestamp || (count > 1 && start < spells[count - 2].end)) {
            return (InstitutionRegistry.PastIsFixed.selector, false);
        }
        return (NONE, true);
    }

    function tell(bytes32 institution, bytes32 scope, Spell memory spell, bool replaces) internal {
        Spell[] storage spells = _spells[institution][scope];
        if (replaces) {
            spells.pop();
        } else if (spells.length != 0 && spells[spells.length - 1].end > spell.start) {
            spells[spells.length - 1].end = spell.start;
        }
        spells.push(spell);
    }
}

/// @notice Random histories of an InstitutionRegistry.
contract RegistryHandler is Told {
    InstitutionRegistry public immutable REGISTRY;
    uint48 private constant DELAY = 100;

    bytes32 private constant COURSE = keccak256("course");
    bytes32 private immutable TERM = keccak256(abi.encode(COURSE, h("ai"), h("2026-1")));

    struct Did {
        bytes32 institution;
        uint64 from;
        uint64 until;
    }

    struct Signer {
        bytes32 institution;
        uint64 from;
        uint64 until; // 0: not removed
    }

    struct Answer {
        bytes32 institution;
        bytes32 scope;
        uint64 time;
        uint8 code;
    }

    mapping(bytes32 did => Did) private _dids;
    mapping(address signer => Signer) private _signers;
    mapping(bytes32 role => mapping(address account => bool)) private _holds;
    address private _admin;
    address private _heir;
    uint256 private _acceptFrom;

    Answer[] private _answers;

    constructor() {
        _admin = address(0xAD);
        REGISTRY = new InstitutionRegistry(DELAY, _admin, address(0xA1));
        _holds[keccak256("AUTHORITY_ROLE")][address(0xA1)] = true;
        _holds[keccak256("GUARDIAN_ROLE")][address(0xA1)] = true;
        _holds[keccak256("POLICY_ROLE")][address(0xA1)] = true;
    }

    // ------------------------------------------------------------------ what the fuzzer calls: institutions

    function register(uint256 by, uint256 who, uint256 did, uint256 signer, uint256 mask, uint256 start) external {
        bytes32 institution = _institution(who);
        bytes32[] memory kinds = new bytes32[](mask % 3);
        for (uint256 i = 0; i < kinds.length; ++i) kinds[i] = _scope(i);
        uint64 from = _near(start);
        bytes32 didHash = _did(did);
        address account = signer % 2 == 0 ? address(0) : _signer(signer);
        (address sender, bytes4 refusal) = _by(by, "AUTHORITY_ROLE");
        if (refusal == NONE) {
            if (institution == 0) refusal = InstitutionRegistry.ZeroValue.selector;
            else if (_institutions[institution].registered != 0) {
                refusal = InstitutionRegistry.AlreadyRegistered.selector;
            } else if (didHash != 0 && _dids[didHash].institution != 0) {
                refusal = InstitutionRegistry.DidTaken.selector;
            } else if (account != address(0) && _signers[account].from != 0) {
                refusal = InstitutionRegistry.SignerTaken.selector;
            }
        }
        uint256 events = 1 + (didHash == 0 ? 0 : 1) + (account == address(0) ? 0 : 1) + kinds.length;
        uint256 slots = 1 + (didHash == 0 ? 0 : 2) + (account == address(0) ? 0 : 2) + 2 * kinds.length;
        expect(
            sender,
            address(REGISTRY),
            abi.encodeCall(InstitutionRegistry.register, (institution, didHash, account, kinds, from, 0)),
            refusal,
            slots,
            events
        );
        if (refusal != NONE) return;
        _institutions[institution].registered = uint64(block.timestamp);
        if (didHash != 0) _dids[didHash] = Did(institution, from, FOREVER);
        if (account != address(0)) _signers[account] = Signer(institution, uint64(block.timestamp), 0);
        for (uint256 i = 0; i < kinds.length; ++i) {
            _list(institution, kinds[i]);
            tell(institution, kinds[i], Spell(from, FOREVER, false, 0), false);
            _compare(institution, kinds[i], from);
        }
        _compareKeys(didHash, account);
    }

    function accredit(uint256 by, uint256 who, uint256 what, uint256 start, uint256 length, bool provisional)
        external
    {
        (bytes32 institution, bytes32 kind) = (_institution(who), _scope(what));
        if (length % 37 == 0) kind = 0;
        (uint64 from, uint64 until) = _period(start, length);
        (address sender, bytes4 refusal) = _by(by, "AUTHORITY_ROLE");
        if (refusal == NONE) refusal = existing(institution);
        if (refusal == NONE && kind == 0) refusal = InstitutionRegistry.ZeroValue.selector;
        bool replaces;
        if (refusal == NONE) (refusal, replaces) = fits(institution, kind, from, until == 0 ? FOREVER : until);
        expect(
            sender,
            address(REGISTRY),
            abi.encodeCall(InstitutionRegistry.accredit, (institution, kind, from, until, provisional)),
            refusal,
            _spells[institution][kind].length == 0 ? 3 : 2,
            1
        );
        if (refusal != NONE) return;
        _list(institution, kind);
        tell(institution, kind, Spell(from, until == 0 ? FOREVER : until, provisional, 0), replaces);
        _compare(institution, kind, from);
    }

    function accreditScope(uint256 by, uint256 who, uint256 start, uint256 length, bool provisional) external {
        bytes32 institution = _institution(who);
        bytes32 course = length % 37 == 0 ? bytes32(0) : h("ai");
        (Spell memory spell, bytes memory call) = _scoped(institution, course, start, length, provisional);
        (address sender, bytes4 refusal) = _by(by, "AUTHORITY_ROLE");
        if (refusal == NONE) refusal = existing(institution);
        if (refusal == NONE && course == 0) refusal = InstitutionRegistry.ZeroValue.selector;
        bool replaces;
        if (refusal == NONE) (refusal, replaces) = fits(institution, TERM, spell.start, spell.end);
        expect(sender, address(REGISTRY), call, refusal, 2, 2);
        if (refusal != NONE) return;
        tell(institution, TERM, spell, replaces);
        _compare(institution, TERM, spell.start);
    }

    function _scoped(bytes32 institution, bytes32 course, uint256 start, uint256 length, bool provisional)
        private
        view
        returns (Spell memory, bytes memory)
    {
        (uint64 from, uint64 until) = _period(start, length);
        return (
            Spell(from, until == 0 ? FOREVER : until, provisional, 0),
            abi.encodeCall(
                InstitutionRegistry.accreditScope,
                (institution, COURSE, course, h("2026-1"), from, until, provisional)
            )
        );
    }

    function delegate(uint256 by, uint256 who, uint256 what, uint256 whose, uint256 start, uint256 length) external {
        (bytes32 institution, bytes32 kind, bytes32 delegator) = (_institution(who), _scope(what), _institution(whose));
        (uint64 from, uint64 until) = _period(start, length);
        (address sender, bytes4 refusal) = _by(by, "AUTHORITY_ROLE");
        if (refusal == NONE) refusal = existing(institution);
        if (refusal == NONE && until == 0) refusal = InstitutionRegistry.DelegationNeedsEnd.selector;
        if (refusal == NONE) {
            Spell[] storage theirs = _spells[delegator][kind];
            if (institution == delegator || theirs.length == 0 || theirs[theirs.length - 1].delegator != 0) {
                refusal = InstitutionRegistry.DelegatorCannotDelegate.selector;
            }
        }
        bool replaces;
        if (refusal == NONE) (refusal, replaces) = fits(institution, kind, from, until);
        expect(
            sender,
            address(REGISTRY),
            abi.encodeCall(InstitutionRegistry.delegate, (institution, kind, delegator, from, until)),
            refusal,
            _spells[institution][kind].length == 0 ? 4 : 3,
            1
        );
        if (refusal != NONE) return;
        _list(institution, kind);
        tell(institution, kind, Spell(from, until, false, delegator), replaces);
        _compare(institution, kind, from);
    }

    function endAccreditation(uint256 by, uint256 who, uint256 what, uint256 when) external {
        (bytes32 institution, bytes32 scope) = (_institution(who), _scope(what));
        uint64 end = _near(when);
        (address sender, bytes4 refusal) = _by(by, "AUTHORITY_ROLE");
        Spell[] storage spells = _spells[institution][scope];
        if (refusal == NONE && end < block.timestamp) refusal = InstitutionRegistry.PastIsFixed.selector;
        if (refusal == NONE && (spells.length == 0 || end >= spells[spells.length - 1].end)) {
            refusal = InstitutionRegistry.NothingToEnd.selector;
        }
        expect(
            sender,
            address(REGISTRY),
            abi.encodeCall(InstitutionRegistry.endAccreditation, (institution, scope, end)),
            refusal,
            1,
            1
        );
        if (refusal != NONE) return;
        Spell storage last = spells[spells.length - 1];
        last.end = end < last.start ? last.start : end;
        _compare(institution, scope, end);
    }

    function suspend(uint256 by, uint256 who) external {
        bytes32 institution = _institution(who);
        (address sender, bytes4 refusal) = _by(by, "GUARDIAN_ROLE");
        if (refusal == NONE) refusal = existing(institution);
        if (refusal == NONE && openSuspension(institution)) refusal = InstitutionRegistry.AlreadySuspended.selector;
        expect(
            sender,
            address(REGISTRY),
            abi.encodeCall(InstitutionRegistry.suspend, (institution)),
            refusal,
            1 + _institutions[institution].kinds,
            1
        );
        if (refusal != NONE) return;
        _institutions[institution].suspensions.push(Spell(uint64(block.timestamp), FOREVER, false, 0));
        _compare(institution, _scope(who >> 8), uint64(block.timestamp));
    }

    function reinstate(uint256 by, uint256 who) external {
        bytes32 institution = _institution(who);
        (address sender, bytes4 refusal) = _by(by, "GUARDIAN_ROLE");
        if (refusal == NONE) refusal = existing(institution);
        if (refusal == NONE && !openSuspension(institution)) refusal = InstitutionRegistry.NotSuspended.selector;
        expect(
            sender,
            address(REGISTRY),
            abi.encodeCall(InstitutionRegistry.reinstate, (institution)),
            refusal,
            2 + _institutions[institution].kinds,
            1
        );
        if (refusal != NONE) return;
        Spell[] storage suspensions = _institutions[institution].suspensions;
        suspensions[suspensions.length - 1].end = uint64(block.timestamp);
        _compare(institution, _scope(who >> 8), uint64(block.timestamp));
    }

    function withdraw(uint256 by, uint256 who, uint256 when, uint256 heir) external {
        bytes32 institution = _institution(who);
        bytes32 successor = heir % 2 == 0 ? bytes32(0) : _institution(heir >> 1);
        // A withdrawal ends the history of an institution, so most of them are for later.
        uint64 time = when % 4 == 0 ? _near(when) : uint64(block.timestamp + 100 + when % 1000);
        (address sender, bytes4 refusal) = _by(by, "AUTHORITY_ROLE");
        if (refusal == NONE) refusal = existing(institution);
        if (refusal == NONE && successor != 0) {
            refusal = existing(successor);
            if (refusal == NONE && successor == institution) refusal = InstitutionRegistry.AlreadyRegistered.selector;
        }
        if (refusal == NONE && time < block.timestamp) refusal = InstitutionRegistry.PastIsFixed.selector;
        expect(
            sender,
            address(REGISTRY),
            abi.encodeCall(InstitutionRegistry.withdraw, (institution, time, successor)),
            refusal,
            2 + _institutions[institution].kinds,
            1
        );
        if (refusal != NONE) return;
        _institutions[institution].withdrawn = time;
        _institutions[institution].successor = successor;
        _compare(institution, _scope(heir), time);
    }

    // ------------------------------------------------------------------ what the fuzzer calls: keys

    function bindDid(uint256 by, uint256 who, uint256 did, uint256 start, uint256 length) external {
        (bytes32 institution, bytes32 didHash) = (_institution(who), _did(did));
        (uint64 from, uint64 until) = _period(start, length);
        uint64 end = until == 0 ? FOREVER : until;
        (address sender, bytes4 refusal) = _by(by, "AUTHORITY_ROLE");
        if (refusal == NONE) refusal = existing(institution);
        if (refusal == NONE) {
            if (didHash == 0) refusal = InstitutionRegistry.ZeroValue.selector;
            else if (_dids[didHash].institution != 0) refusal = InstitutionRegistry.DidTaken.selector;
            else if (from >= FOREVER || end > FOREVER) refusal = InstitutionRegistry.TimeOutOfRange.selector;
            else if (end <= from) refusal = InstitutionRegistry.EmptyPeriod.selector;
        }
        expect(
            sender,
            address(REGISTRY),
            abi.encodeCall(InstitutionRegistry.bindDid, (institution, didHash, from, until)),
            refusal,
            2,
            1
        );
        if (refusal == NONE) _dids[didHash] = Did(institution, from, end);
        _compareKeys(didHash, address(0));
    }

    function endDid(uint256 by, uint256 did, uint256 when) external {
        bytes32 didHash = _did(did);
        uint64 end = _near(when);
        (address sender, bytes4 refusal) = _by(by, "AUTHORITY_ROLE");
        Did storage found = _dids[didHash];
        if (refusal == NONE && found.institution == 0) refusal = InstitutionRegistry.UnknownDid.selector;
        if (refusal == NONE && (end < block.timestamp || end >= found.until)) {
            refusal = InstitutionRegistry.PastIsFixed.selector;
        }
        expect(
            sender, address(REGISTRY), abi.encodeCall(InstitutionRegistry.endDid, (didHash, end)), refusal, 1, 1
        );
        if (refusal == NONE) found.until = end < found.from ? found.from : end;
        _compareKeys(didHash, address(0));
    }

    function addSigner(uint256 by, uint256 who, uint256 which) external {
        (bytes32 institution, address signer) = (_institution(who), which % 23 == 0 ? address(0) : _signer(which));
        (address sender, bytes4 refusal) = _by(by, "AUTHORITY_ROLE");
        if (refusal == NONE) refusal = existing(institution);
        if (refusal == NONE && signer == address(0)) refusal = InstitutionRegistry.ZeroValue.selector;
        if (refusal == NONE && _signers[signer].from != 0) refusal = InstitutionRegistry.SignerTaken.selector;
        expect(
            sender,
            address(REGISTRY),
            abi.encodeCall(InstitutionRegistry.addSigner, (institution, signer)),
            refusal,
            2,
            1
        );
        if (refusal == NONE) _signers[signer] = Signer(institution, uint64(block.timestamp), 0);
        _compareKeys(0, signer);
    }

    function removeSigner(uint256 by, uint256 which) external {
        address signer = _signer(which);
        (address sender, bytes4 refusal) = _by(by, "AUTHORITY_ROLE");
        Signer storage found = _signers[signer];
        bool signs = found.from != 0 && found.until == 0;
        if (refusal == NONE && !signs) refusal = InstitutionRegistry.UnknownSigner.selector;
        expect(
            sender, address(REGISTRY), abi.encodeCall(InstitutionRegistry.removeSigner, (signer)), refusal, 3, 1
        );
        if (refusal == NONE) found.until = uint64(block.timestamp);
        _compareKeys(0, signer);
    }

    // ------------------------------------------------------------------ what the fuzzer calls: roles

    function grant(uint256 by, uint256 which, uint256 whom, bool on) external {
        bytes32 role = which % 9 == 0 ? bytes32(0) : _role(which);
        address account = _account(whom);
        address sender = by % 4 == 0 ? _account(by >> 2) : _admin;
        bytes4 refusal = NONE;
        if (role == 0) refusal = IAccessControlDefaultAdminRules.AccessControlEnforcedDefaultAdminRules.selector;
        else if (sender != _admin) refusal = IAccessControl.AccessControlUnauthorizedAccount.selector;
        expect(
            sender,
            address(REGISTRY),
            on
                ? abi.encodeCall(IAccessControl.grantRole, (role, account))
                : abi.encodeCall(IAccessControl.revokeRole, (role, account)),
            refusal,
            1,
            _holds[role][account] == on ? 0 : 1
        );
        if (refusal == NONE) _holds[role][account] = on;
    }

    function beginHandOver(uint256 by, uint256 whom) external {
        address sender = by % 4 == 0 ? _account(by >> 2) : _admin;
        bytes4 refusal = sender == _admin ? NONE : IAccessControl.AccessControlUnauthorizedAccount.selector;
        bool again = _acceptFrom != 0;
        address heir = _account(whom);
        expect(
            sender,
            address(REGISTRY),
            abi.encodeCall(IAccessControlDefaultAdminRules.beginDefaultAdminTransfer, (heir)),
            refusal,
            1,
            again ? 2 : 1
        );
        if (refusal != NONE) return;
        _heir = heir;
        _acceptFrom = block.timestamp + DELAY;
    }

    function cancelHandOver(uint256 by) external {
        address sender = by % 4 == 0 ? _account(by >> 2) : _admin;
        bytes4 refusal = sender == _admin ? NONE : IAccessControl.AccessControlUnauthorizedAccount.selector;
        expect(
            sender,
            address(REGISTRY),
            abi.encodeCall(IAccessControlDefaultAdminRules.cancelDefaultAdminTransfer, ()),
            refusal,
            1,
            _acceptFrom == 0 ? 0 : 1
        );
        if (refusal == NONE) (_heir, _acceptFrom) = (address(0), 0);
    }

    function acceptHandOver(uint256 by) external {
        address sender = by % 4 == 0 || _heir == address(0) ? _account(by >> 2) : _heir;
        bytes4 refusal = NONE;
        if (sender != _heir) refusal = IAccessControlDefaultAdminRules.AccessControlInvalidDefaultAdmin.selector;
        else if (block.timestamp <= _acceptFrom) {
            refusal = IAccessControlDefaultAdminRules.AccessControlEnforcedDefaultAdminDelay.selector;
        }
        expect(
            sender,
            address(REGISTRY),
            abi.encodeCall(IAccessControlDefaultAdminRules.acceptDefaultAdminTransfer, ()),
            refusal,
            4,
            2
        );
        if (refusal != NONE) return;
        _admin = sender;
        (_heir, _acceptFrom) = (address(0), 0);
    }

    function wait_(uint256 seconds_) external {
        vm.warp(block.timestamp + seconds_ % 60);
    }

    // ------------------------------------------------------------------ what must always hold

    function check(uint256 seed) external view {
        for (uint256 i = 0; i < 3; ++i) {
            bytes32 institution = _institution(i);
            Institution storage record = _institutions[institution];
            (uint64 registered, uint64 suspendedAt, uint64 withdrawn, bytes32 successor) =
                REGISTRY.institutionOf(institution);
            must(registered == record.registered && withdrawn == record.withdrawn, "dates of the institution");
            must(successor == record.successor, "its successor is the one named last");
            must((suspendedAt != 0) == openSuspension(institution), "suspended while the suspension is open");
            must(REGISTRY.kindsOf(institution).length == record.kinds, "as many kinds as it was ever given");
            for (uint256 j = 0; j < 3; ++j) _compareEdges(institution, _scope(j), seed);
        }
        for (uint256 i = 0; i < 4; ++i) _compareKeys(_did(i), _signer(i));
        for (uint256 i = 0; i < 3 && i < _answers.length; ++i) _remembered((seed >> (8 * i)) % _answers.length);
        _checkRoles();
        must(REGISTRY.signerOf(address(0)) == 0, "nobody signs as nobody");
        must(REGISTRY.standingOf(0, COURSE, uint64(block.timestamp)) == NOT_ACCREDITED, "zero is nobody");
    }

    /// @dev Every answer about the past that was ever given.
    function checkPast() external view {
        for (uint256 i = 0; i < _answers.length; ++i) _remembered(i);
    }

    function _checkRoles() private view {
        must(REGISTRY.defaultAdmin() == _admin && _admin != address(0), "one holder of the highest role, never none");
        (address heir, uint48 schedule) = REGISTRY.pendingDefaultAdmin();
        must(heir == _heir && schedule == _acceptFrom, "the hand-over is the one that was begun");
        for (uint256 i = 0; i < 5; ++i) {
            address account = _account(i);
            must(REGISTRY.hasRole(0, account) == (account == _admin), "the highest role has one holder");
            for (uint256 j = 0; j < 3; ++j) {
                must(REGISTRY.hasRole(_role(j), account) == _holds[_role(j)][account], "roles are as granted");
            }
        }
    }

    /// @dev The answer now, and at one time of the fuzzer's choice; keeps one about the past for later.
    function _compare(bytes32 institution, bytes32 scope, uint64 time) private {
        _same(institution, scope, uint64(block.timestamp));
        _same(institution, scope, time);
        // Strictly before now: what happens in this very second may still be answered by this second.
        uint64 past = uint64(block.timestamp) - 1 - uint64(uint256(keccak256(abi.encode(scope, time))) % 40);
        if (_answers.length < 64) {
            _answers.push(Answer(institution, scope, past, REGISTRY.standingOf(institution, scope, past)));
        }
    }

    function _compareEdges(bytes32 institution, bytes32 scope, uint256 seed) private view {
        _same(institution, scope, uint64(block.timestamp));
        _same(institution, scope, uint64(block.timestamp - 1 - seed % 100));
        _same(institution, scope, uint64(seed));
        Spell[] storage spells = _spells[institution][scope];
        if (spells.length == 0) return;
        Spell storage spell = spells[(seed >> 64) % spells.length];
        _same(institution, scope, spell.start);
        _same(institution, scope, spell.start - 1);
        _same(institution, scope, spell.end);
        _same(institution, scope, spell.end - 1);
        Spell[] storage suspensions = _institutions[institution].suspensions;
        if (suspensions.length == 0) return;
        spell = suspensions[(seed >> 64) % suspensions.length];
        _same(institution, scope, spell.start);
        _same(institution, scope, spell.start - 1);
        _same(institution, scope, spell.end);
        _same(institution, scope, spell.end - 1);
    }

    function _same(bytes32 institution, bytes32 scope, uint64 time) private view {
        must(
            REGISTRY.standingOf(institution, scope, time) == told(institution, scope, time, false),
            "effect: the answer is what was told"
        );
    }

    function _compareKeys(bytes32 didHash, address signer) private view {
        _compareDid(didHash);
        uint8 whole = _compareStanding(didHash);
        _compareCourse(didHash, whole);
        Signer storage known = _signers[signer];
        bool signs = known.from != 0 && known.until == 0;
        must(REGISTRY.signerOf(signer) == (signs ? known.institution : bytes32(0)), "who signs now");
        for (uint64 step = 0; step < 3 && known.from != 0; ++step) {
            _compareSigner(signer, (known.until == 0 ? known.from : known.until) + step - 1);
        }
    }

    function _compareDid(bytes32 didHash) private view {
        Did storage did = _dids[didHash];
        (bytes32 institution, uint64 from, uint64 until) = REGISTRY.didOf(didHash);
        must(institution == did.institution && from == did.from && until == did.until, "a DID is as bound and ended");
    }

    function _compareStanding(bytes32 didHash) private view returns (uint8 expected) {
        Did storage did = _dids[didHash];
        uint64 now_ = uint64(block.timestamp);
        (bytes32 whose, uint8 code) = REGISTRY.standing(didHash, COURSE, now_);
        if (did.institution == 0) expected = UNKNOWN_DID;
        else if (now_ < did.from || now_ >= did.until) expected = KEY_NOT_VALID;
        else expected = told(did.institution, COURSE, now_, false);
        must(whose == did.institution, "the DID's institution answers");
        must(code == expected, "and its key's dates come first");
    }

    function _compareCourse(bytes32 didHash, uint8 expected) private view {
        bytes32 institution = _dids[didHash].institution;
        uint64 now_ = uint64(block.timestamp);
        (bytes32 whose, uint8 code) = REGISTRY.standingFor(didHash, COURSE, h("ai"), h("2026-1"), now_);
        if (expected != UNKNOWN_DID && expected != KEY_NOT_VALID) {
            expected = _better(expected, told(institution, TERM, now_, false));
        }
        must(whose == institution && code == expected, "a term may be allowed by itself");
    }

    function _compareSigner(address signer, uint64 time) private view {
        Signer storage known = _signers[signer];
        bool then = time >= known.from && (known.until == 0 || time < known.until);
        must(REGISTRY.signerAt(signer, time) == (then ? known.institution : bytes32(0)), "who signed then");
    }

    /// @dev What was good in the past is exactly as good ever after; a gap may have been filled in since.
    function _remembered(uint256 index) private view {
        Answer storage answer = _answers[index];
        uint8 code = REGISTRY.standingOf(answer.institution, answer.scope, answer.time);
        bool gap = answer.code == NOT_ACCREDITED || answer.code == ENDED;
        must(code == answer.code || gap, "a past answer changed");
    }

    function _better(uint8 a, uint8 b) private pure returns (uint8) {
        if (a == ACCREDITED || b == ACCREDITED) return ACCREDITED;
        if (a == PROVISIONAL || b == PROVISIONAL) return PROVISIONAL;
        return a > b ? a : b;
    }

    // ------------------------------------------------------------------ few values, so that steps meet

    function _by(uint256 by, string memory role) private view returns (address sender, bytes4 refusal) {
        bytes32 wanted = h(role);
        sender = _account(by >> 3);
        if (by % 8 != 0) {
            for (uint256 i = 0; i < 5; ++i) {
                if (_holds[wanted][_account(i)]) sender = _account(i);
            }
        }
        refusal = _holds[wanted][sender] ? NONE : IAccessControl.AccessControlUnauthorizedAccount.selector;
    }

    function _list(bytes32 institution, bytes32 kind) private {
        // Whatever was first given as a course or a term is not a kind.
        if (_spells[institution][kind].length != 0) return;
        ++_institutions[institution].kinds;
    }

    function _institution(uint256 who) private pure returns (bytes32) {
        return who % 41 == 40 ? bytes32(0) : bytes32(who % 3 + 1);
    }

    /// @dev Two kinds, and one term of one course, which the fuzzer also gives as if it were a kind.
    function _scope(uint256 what) private view returns (bytes32) {
        return what % 3 == 0 ? COURSE : what % 3 == 1 ? keccak256("registrar") : TERM;
    }

    function _did(uint256 did) private pure returns (bytes32) {
        return bytes32(did % 4);
    }

    function _signer(uint256 which) private pure returns (address) {
        return address(uint160(0x51 + which % 4));
    }

    function _account(uint256 which) private pure returns (address) {
        return [address(0xA1), address(0xA2), address(0xAD), address(0xAE), address(0xC1)][which % 5];
    }

    function _role(uint256 which) private pure returns (bytes32) {
        return [keccak256("AUTHORITY_ROLE"), keccak256("GUARDIAN_ROLE"), keccak256("POLICY_ROLE")][which % 3];
    }

    function _near(uint256 x) private view returns (uint64) {
        return uint64(block.timestamp - 20 + x % 60);
    }

    function _period(uint256 start, uint256 length) private view returns (uint64 from, uint64 until) {
        from = _near(start);
        uint256 choice = length % 16;
        if (choice < 4) until = 0;
        else if (choice == 4) until = from;
        else if (choice == 5) until = FOREVER + 1;
        else until = from + uint64(length % 50);
        if (length % 53 == 0) from = FOREVER;
    }
}

contract RegistryInvariants is Invariants {
    RegistryHandler private _handler;

    function setUp() external {
        vm.warp(1_800_000_000);
        _handler = new RegistryHandler();
        target(address(_handler));
    }

    function invariant_every_answer_is_what_was_told_and_the_past_stays() external view {
        _handler.check(uint256(keccak256(abi.encode(block.timestamp, gasleft()))));
    }

    function afterInvariant() external view {
        _handler.checkPast();
    }
}
