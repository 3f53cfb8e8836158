// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessControlDefaultAdminRules} from
    "@openzeppelin/contracts/access/extensions/AccessControlDefaultAdminRules.sol";

/// @title Which institution may issue what, and when
/// @notice Holds for each institution its DIDs, its signing addresses and its accreditations, each with dates,
/// and answers as of a time: what was issued under a valid accreditation stays good when it later ends, what
/// comes after does not. The past may be filled in, never taken away: no call shortens a period that has run.
/// @dev Ids are hashes: an institution is keccak256 of its id, a kind keccak256 of its name, a DID keccak256 of
/// its text. Periods are half open, [from, until), in Unix seconds; `until` 0 in a call means without end.
/// CredentialAnchor inherits from this contract; docs/decisions/0001 says why they are one deployment.
// Dates are what this contract is about. They lie days to years apart, and what falls within the seconds by which a
// block proposer can shift the time of a block may fall to either side.
// slither-disable-start timestamp
contract InstitutionRegistry is AccessControlDefaultAdminRules {
    /// @notice May register and accredit institutions.
    bytes32 public constant AUTHORITY_ROLE = keccak256("AUTHORITY_ROLE");
    /// @notice May suspend and reinstate institutions and pause anchoring.
    bytes32 public constant GUARDIAN_ROLE = keccak256("GUARDIAN_ROLE");
    /// @notice May publish degree policies (read by PolicyRegistry).
    bytes32 public constant POLICY_ROLE = keccak256("POLICY_ROLE");
    /// @notice The kind of an institution that may anchor batches holding other institutions' credentials.
    bytes32 public constant REGISTRAR = keccak256("registrar");

    /// @dev Answers of {standing}.
    uint8 internal constant UNKNOWN_DID = 0;
    uint8 internal constant ACCREDITED = 1;
    uint8 internal constant PROVISIONAL = 2;
    uint8 internal constant NOT_ACCREDITED = 3;
    uint8 internal constant SUSPENDED = 4;
    uint8 internal constant ENDED = 5;
    uint8 internal constant KEY_NOT_VALID = 6;

    /// @dev At most this many whole kinds an institution, so that suspension costs a bounded amount of gas.
    uint256 internal constant MAX_KINDS = 32;

    uint40 private constant FOREVER = type(uint40).max;

    /// @dev Accreditation flags. INDIRECT: a date is not the whole answer, ask {standingOf}. SCOPED: first given for
    /// a course or term, so it is not among the kinds that suspension and withdrawal mark, and stays indirect.
    uint8 private constant FLAG_PROVISIONAL = 1;
    uint8 private constant FLAG_DELEGATED = 2;
    uint8 private constant FLAG_INDIRECT = 4;
    uint8 private constant FLAG_SCOPED = 8;

    /// @dev One storage slot.
    struct Institution {
        uint40 registeredAt; // 0: not registered
        uint40 withdrawnAt; // 0: not withdrawn
        uint40 suspendedAt; // 0: not suspended at present
        uint32 pastSuspensions;
        uint32 kinds;
    }

    /// @dev One storage slot.
    struct Accreditation {
        uint40 from;
        uint40 until; // 0: no accreditation ever given
        uint8 flags;
        uint32 past; // periods before this one, in `_pastAccreditations`
    }

    struct Period {
        uint40 from;
        uint40 until;
    }

    struct Key {
        bytes32 institution;
        uint40 from;
        uint40 until;
    }

    mapping(bytes32 institution => Institution) private _institutions;
    mapping(bytes32 institution => bytes32) private _successors;
    mapping(bytes32 institution => mapping(uint256 index => bytes32 kind)) private _kinds;
    mapping(bytes32 institution => mapping(uint256 index => Period)) private _pastSuspensions;
    mapping(bytes32 institution => mapping(bytes32 scope => Accreditation)) private _accreditations;
    mapping(bytes32 institution => mapping(bytes32 scope => mapping(uint256 index => Accreditation))) private
        _pastAccreditations;
    mapping(bytes32 institution => mapping(bytes32 scope => mapping(uint256 index => bytes32))) private _delegators;
    mapping(bytes32 didHash => Key) private _dids;
    mapping(address signer => bytes32 institution) internal _signers;
    mapping(address signer => uint40) private _signerSince;
    mapping(address signer => Key) private _formerSigners;

    event InstitutionRegistered(bytes32 indexed institution);
    event DidBound(bytes32 indexed institution, bytes32 indexed didHash, uint64 from, uint64 until);
    event DidEnded(bytes32 indexed institution, bytes32 indexed didHash, uint64 until);
    event SignerAdded(bytes32 indexed institution, address indexed signer);
    event SignerRemoved(bytes32 indexed institution, address indexed signer);
    event Accredited(
        bytes32 indexed institution, bytes32 indexed scope, uint64 from, uint64 until, bool provisional, bytes32 delegator
    );
    /// @notice Says what a scope hash in {Accredited} stands for; emitted before it.
    event ScopeNamed(bytes32 indexed scope, bytes32 indexed kind, bytes32 course, bytes32 term);
    event AccreditationEnded(bytes32 indexed institution, bytes32 indexed scope, uint64 until);
    event InstitutionSuspended(bytes32 indexed institution);
    event InstitutionReinstated(bytes32 indexed institution);
    event InstitutionWithdrawn(bytes32 indexed institution, uint64 when, bytes32 successor);

    error ZeroValue();
    error AlreadyRegistered(bytes32 institution);
    error UnknownInstitution(bytes32 institution);
    error InstitutionGone(bytes32 institution);
    error EmptyPeriod(uint64 from, uint64 until);
    error TimeOutOfRange(uint64 time);
    /// @notice The call would take away time that has already run, or overlap what was recorded before.
    error PastIsFixed(uint64 time);
    error DidTaken(bytes32 didHash);
    error UnknownDid(bytes32 didHash);
    error SignerTaken(address signer);
    error UnknownSigner(address signer);
    error TooManyKinds(bytes32 institution);
    error NothingToEnd(bytes32 institution, bytes32 scope);
    error DelegationNeedsEnd();
    error DelegatorCannotDelegate(bytes32 delegator, bytes32 kind);
    /// @notice `code` as in {standing}.
    error NotAccredited(bytes32 institution, bytes32 scope, uint8 code);
    error AlreadySuspended(bytes32 institution);
    error NotSuspended(bytes32 institution);

    /// @param delay seconds between announcing and accepting a new holder of the highest role
    /// @param admin holder of the highest role; a multisig in production
    /// @param authority first holder of the working roles; more are granted by `admin`
    constructor(uint48 delay, address admin, address authority) AccessControlDefaultAdminRules(delay, admin) {
        _grantRole(AUTHORITY_ROLE, authority);
        _grantRole(GUARDIAN_ROLE, authority);
        _grantRole(POLICY_ROLE, authority);
    }

    // ------------------------------------------------------------------ registering

    /// @notice Register an institution with a first DID, signing address and kinds, in one transaction.
    /// @param didHash its first DID, or 0 for none yet
    /// @param signer its first signing address, or 0: a registrar anchors for it
    /// @param kinds kinds it is accredited for
    /// @param from start of the DID and of the accreditations; may lie in the past
    /// @param until end of the accreditations, 0 without end
    function register(
        bytes32 institution,
        bytes32 didHash,
        address signer,
        bytes32[] calldata kinds,
        uint64 from,
        uint64 until
    ) external onlyRole(AUTHORITY_ROLE) {
        if (institution == 0) revert ZeroValue();
        if (_institutions[institution].registeredAt != 0) revert AlreadyRegistered(institution);
        _institutions[institution].registeredAt = uint40(block.timestamp);
        emit InstitutionRegistered(institution);
        if (didHash != 0) _bindDid(institution, didHash, from, 0);
        if (signer != address(0)) _addSigner(institution, signer);
        for (uint256 i = 0; i < kinds.length; ++i) {
            _accreditKind(institution, kinds[i], from, until, 0, 0);
        }
    }

    /// @notice Bind one more DID. A DID belongs to one institution for ever.
    function bindDid(bytes32 institution, bytes32 didHash, uint64 from, uint64 until)
        external
        onlyRole(AUTHORITY_ROLE)
    {
        _existing(institution);
        _bindDid(institution, didHash, from, until);
    }

    /// @notice End the validity of a DID at a time that has not passed yet.
    function endDid(bytes32 didHash, uint64 when) external onlyRole(AUTHORITY_ROLE) {
        Key storage key = _dids[didHash];
        if (key.institution == 0) revert UnknownDid(didHash);
        uint40 end = _notPast(when);
        if (end >= key.until) revert PastIsFixed(when);
        key.until = end < key.from ? key.from : end;
        emit DidEnded(key.institution, didHash, key.until);
    }

    /// @notice Let an address anchor and publish status for an institution, from now until it is removed.
    function addSigner(bytes32 institution, address signer) external onlyRole(AUTHORITY_ROLE) {
        _existing(institution);
        _addSigner(institution, signer);
    }

    /// @notice Take an address out of use, from now on and for good.
    function removeSigner(address signer) external onlyRole(AUTHORITY_ROLE) {
        bytes32 institution = _signers[signer];
        if (institution == 0) revert UnknownSigner(signer);
        _formerSigners[signer] =
            Key({institution: institution, from: _signerSince[signer], until: uint40(block.timestamp)});
        delete _signers[signer];
        emit SignerRemoved(institution, signer);
    }

    // ------------------------------------------------------------------ accrediting

    /// @notice Accredit an institution for a kind, in full or provisionally. A period that is running ends where
    /// the new one begins.
    function accredit(bytes32 institution, bytes32 kind, uint64 from, uint64 until, bool provisional)
        external
        onlyRole(AUTHORITY_ROLE)
    {
        _existing(institution);
        _accreditKind(institution, kind, from, until, provisional ? FLAG_PROVISIONAL : 0, 0);
    }

    /// @notice Accredit an institution for one course of a kind, or for one term of a course.
    /// @param term the term, or 0 for every term of the course
    function accreditScope(
        bytes32 institution,
        bytes32 kind,
        bytes32 course,
        bytes32 term,
        uint64 from,
        uint64 until,
        bool provisional
    ) external onlyRole(AUTHORITY_ROLE) {
        _existing(institution);
        if (kind == 0 || course == 0) revert ZeroValue();
        bytes32 scope = scopeOf(kind, course, term);
        emit ScopeNamed(scope, kind, course, term);
        _accredit(
            institution, scope, from, until, FLAG_SCOPED | FLAG_INDIRECT | (provisional ? FLAG_PROVISIONAL : 0), 0
        );
    }

    /// @notice Let an institution issue a kind on behalf of another, up to a stated end. It stands only as long
    /// as the other does.
    function delegate(bytes32 institution, bytes32 kind, bytes32 delegator, uint64 from, uint64 until)
        external
        onlyRole(AUTHORITY_ROLE)
    {
        _existing(institution);
        if (until == 0) revert DelegationNeedsEnd();
        Accreditation memory theirs = _accreditations[delegator][kind];
        if (theirs.until == 0 || theirs.flags & FLAG_DELEGATED != 0 || delegator == institution) {
            revert DelegatorCannotDelegate(delegator, kind);
        }
        _accreditKind(institution, kind, from, until, FLAG_DELEGATED | FLAG_INDIRECT, delegator);
    }

    /// @notice End an accreditation at a time that has not passed yet.
    /// @param scope a kind, or the scope given by {scopeOf}
    function endAccreditation(bytes32 institution, bytes32 scope, uint64 when) external onlyRole(AUTHORITY_ROLE) {
        Accreditation storage current = _accreditations[institution][scope];
        uint40 end = _notPast(when);
        if (end >= current.until) revert NothingToEnd(institution, scope);
        current.until = end < current.from ? current.from : end;
        emit AccreditationEnded(institution, scope, current.until);
    }

    /// @notice Suspend an institution: nothing it issues from now on counts, until it is reinstated.
    function suspend(bytes32 institution) external onlyRole(GUARDIAN_ROLE) {
        Institution storage record = _existing(institution);
        if (record.suspendedAt != 0) revert AlreadySuspended(institution);
        record.suspendedAt = uint40(block.timestamp);
        _setIndirect(institution, true);
        emit InstitutionSuspended(institution);
    }

    /// @notice End a suspension now; the suspended time stays suspended.
    function reinstate(bytes32 institution) external onlyRole(GUARDIAN_ROLE) {
        Institution storage record = _existing(institution);
        if (record.suspendedAt == 0) revert NotSuspended(institution);
        _pastSuspensions[institution][record.pastSuspensions] =
            Period({from: record.suspendedAt, until: uint40(block.timestamp)});
        ++record.pastSuspensions;
        record.suspendedAt = 0;
        if (record.withdrawnAt == 0) _setIndirect(institution, false);
        emit InstitutionReinstated(institution);
    }

    /// @notice Withdraw an institution for good, from a time that has not passed yet; until then the call can be
    /// repeated with another time or successor.
    /// @param successor who carries on after a rename or merger, or 0
    function withdraw(bytes32 institution, uint64 when, bytes32 successor) external onlyRole(AUTHORITY_ROLE) {
        Institution storage record = _existing(institution);
        if (successor != 0) {
            _existing(successor);
            if (successor == institution) revert AlreadyRegistered(institution);
        }
        _successors[institution] = successor;
        record.withdrawnAt = _notPast(when);
        _setIndirect(institution, true);
        emit InstitutionWithdrawn(institution, when, successor);
    }

    // ------------------------------------------------------------------ asking

    /// @notice What a DID was allowed at a time, for a whole kind.
    /// @return institution whose DID it is, 0 when unknown
    /// @return code 0 unknown DID, 1 accredited, 2 provisional, 3 not accredited for this kind, 4 suspended then,
    /// 5 accreditation ended or withdrawn then, 6 key not valid then
    function standing(bytes32 didHash, bytes32 kind, uint64 time)
        external
        view
        returns (bytes32 institution, uint8 code)
    {
        (institution, code) = _keyStanding(didHash, time);
        if (code == ACCREDITED) code = standingOf(institution, kind, time);
    }

    /// @notice As {standing}, for one term of one course: an accreditation for the term, the course or the whole
    /// kind will do.
    function standingFor(bytes32 didHash, bytes32 kind, bytes32 course, bytes32 term, uint64 time)
        external
        view
        returns (bytes32 institution, uint8 code)
    {
        (institution, code) = _keyStanding(didHash, time);
        if (code != ACCREDITED) return (institution, code);
        uint8 best = standingOf(institution, kind, time);
        if (course != 0) {
            best = _better(best, standingOf(institution, scopeOf(kind, course, 0), time));
            if (term != 0) best = _better(best, standingOf(institution, scopeOf(kind, course, term), time));
        }
        code = best;
    }

    /// @notice What an institution was allowed at a time; codes as in {standing}.
    function standingOf(bytes32 institution, bytes32 scope, uint64 time) public view returns (uint8) {
        return _standingOf(institution, scope, time, true);
    }

    /// @dev `viaDelegation` false: a delegated accreditation does not count, so delegation goes one step deep.
    function _standingOf(bytes32 institution, bytes32 scope, uint64 time, bool viaDelegation)
        private
        view
        returns (uint8)
    {
        Accreditation memory found = _accreditations[institution][scope];
        if (found.until == 0) return NOT_ACCREDITED;
        bool ended = false;
        uint256 index = found.past;
        while (time < found.from || time >= found.until) {
            if (time >= found.until) {
                ended = true;
                break;
            }
            if (index == 0) return NOT_ACCREDITED;
            found = _pastAccreditations[institution][scope][--index];
        }
        Institution memory record = _institutions[institution];
        if (ended || (record.withdrawnAt != 0 && time >= record.withdrawnAt)) return ENDED;
        if (_suspendedAt(institution, record, time)) return SUSPENDED;
        if (found.flags & FLAG_DELEGATED != 0) {
            if (!viaDelegation) return NOT_ACCREDITED;
            uint8 theirs = _standingOf(_delegators[institution][scope][index], scope, time, false);
            if (theirs != ACCREDITED && theirs != PROVISIONAL) return theirs == SUSPENDED ? SUSPENDED : ENDED;
        }
        return found.flags & FLAG_PROVISIONAL != 0 ? PROVISIONAL : ACCREDITED;
    }

    /// @notice The scope of one course of a kind (`term` 0) or of one term of it.
    function scopeOf(bytes32 kind, bytes32 course, bytes32 term) public pure returns (bytes32) {
        return keccak256(abi.encode(kind, course, term));
    }

    /// @notice Whether an institution is on record, and since when, suspended since when, withdrawn from when,
    /// and who succeeds it (0: does not apply).
    function institutionOf(bytes32 institution)
        external
        view
        returns (uint64 registeredAt, uint64 suspendedAt, uint64 withdrawnAt, bytes32 successor)
    {
        Institution memory record = _institutions[institution];
        return (record.registeredAt, record.suspendedAt, record.withdrawnAt, _successors[institution]);
    }

    /// @notice Kinds an institution was ever accredited for.
    function kindsOf(bytes32 institution) external view returns (bytes32[] memory kinds) {
        kinds = new bytes32[](_institutions[institution].kinds);
        for (uint256 i = 0; i < kinds.length; ++i) {
            kinds[i] = _kinds[institution][i];
        }
    }

    /// @notice The institution and validity of a DID; zeros when unknown.
    function didOf(bytes32 didHash) external view returns (bytes32 institution, uint64 from, uint64 until) {
        Key memory key = _dids[didHash];
        return (key.institution, key.from, key.until);
    }

    /// @notice The institution an address signs for now, 0 when none.
    function signerOf(address signer) public view returns (bytes32 institution) {
        return _signers[signer];
    }

    /// @notice The institution an address signed for at a time, 0 when none.
    function signerAt(address signer, uint64 time) external view returns (bytes32 institution) {
        institution = _signers[signer];
        if (institution != 0) return time >= _signerSince[signer] ? institution : bytes32(0);
        Key memory former = _formerSigners[signer];
        if (time >= former.from && time < former.until) institution = former.institution;
    }

    // ------------------------------------------------------------------ inside

    /// @dev The check at anchoring: reverts unless the institution may issue the kind now. One storage read when
    /// nothing exceptional is on record, else the long way.
    function _requireStanding(bytes32 institution, bytes32 scope) internal view {
        Accreditation storage current = _accreditations[institution][scope];
        uint256 word;
        // The whole slot in one read, where Solidity makes three: from | until << 40 | flags << 80 | past << 88.
        // slither-disable-next-line assembly
        assembly ("memory-safe") {
            word := sload(current.slot)
        }
        if (word & (uint256(FLAG_INDIRECT) << 80) == 0) {
            if (block.timestamp < uint40(word >> 40)) {
                if (block.timestamp >= uint40(word)) return;
            }
        }
        uint8 code = standingOf(institution, scope, uint64(block.timestamp));
        if (code != ACCREDITED && code != PROVISIONAL) revert NotAccredited(institution, scope, code);
    }

    function _existing(bytes32 institution) private view returns (Institution storage record) {
        record = _institutions[institution];
        if (record.registeredAt == 0) revert UnknownInstitution(institution);
        if (record.withdrawnAt != 0 && block.timestamp >= record.withdrawnAt) revert InstitutionGone(institution);
    }

    function _bindDid(bytes32 institution, bytes32 didHash, uint64 from, uint64 until) private {
        if (didHash == 0) revert ZeroValue();
        if (_dids[didHash].institution != 0) revert DidTaken(didHash);
        (uint40 start, uint40 end) = _period(from, until);
        _dids[didHash] = Key({institution: institution, from: start, until: end});
        emit DidBound(institution, didHash, start, end);
    }

    function _addSigner(bytes32 institution, address signer) private {
        if (signer == address(0)) revert ZeroValue();
        if (_signerSince[signer] != 0) revert SignerTaken(signer);
        _signers[signer] = institution;
        _signerSince[signer] = uint40(block.timestamp);
        emit SignerAdded(institution, signer);
    }

    function _accreditKind(
        bytes32 institution,
        bytes32 kind,
        uint64 from,
        uint64 until,
        uint8 flags,
        bytes32 delegator
    ) private {
        if (kind == 0) revert ZeroValue();
        Institution storage record = _institutions[institution];
        Accreditation storage current = _accreditations[institution][kind];
        if (current.flags & FLAG_SCOPED != 0) {
            flags |= FLAG_SCOPED | FLAG_INDIRECT;
        } else if (current.until == 0) {
            uint32 count = record.kinds;
            if (count == MAX_KINDS) revert TooManyKinds(institution);
            _kinds[institution][count] = kind;
            record.kinds = count + 1;
        }
        if (record.suspendedAt != 0 || record.withdrawnAt != 0) flags |= FLAG_INDIRECT;
        _accredit(institution, kind, from, until, flags, delegator);
    }

    function _accredit(
        bytes32 institution,
        bytes32 scope,
        uint64 from,
        uint64 until,
        uint8 flags,
        bytes32 delegator
    ) private {
        (uint40 start, uint40 end) = _period(from, until);
        Accreditation memory current = _accreditations[institution][scope];
        uint32 past = current.past;
        if (current.until != 0) {
            if (start > current.from) {
                // What has run stays: only the part that begins now or later may be replaced.
                if (start < current.until) {
                    if (start < block.timestamp) revert PastIsFixed(from);
                    current.until = start;
                }
                _pastAccreditations[institution][scope][past] = current;
                ++past;
            } else {
                // Replaces a period that has not begun; it must not reach back over an earlier one.
                if (current.from <= block.timestamp) revert PastIsFixed(from);
                if (past != 0 && start < _pastAccreditations[institution][scope][past - 1].until) {
                    revert PastIsFixed(from);
                }
            }
        }
        _accreditations[institution][scope] = Accreditation({from: start, until: end, flags: flags, past: past});
        if (delegator != 0) _delegators[institution][scope][past] = delegator;
        emit Accredited(institution, scope, start, end, flags & FLAG_PROVISIONAL != 0, delegator);
    }

    /// @dev Marks every kind so that anchoring takes the long way round, or the short way again.
    function _setIndirect(bytes32 institution, bool on) private {
        uint256 count = _institutions[institution].kinds;
        for (uint256 i = 0; i < count; ++i) {
            Accreditation storage current = _accreditations[institution][_kinds[institution][i]];
            uint8 flags = current.flags;
            if (on) current.flags = flags | FLAG_INDIRECT;
            else if (flags & FLAG_DELEGATED == 0) current.flags = flags & ~FLAG_INDIRECT;
        }
    }

    function _keyStanding(bytes32 didHash, uint64 time) private view returns (bytes32, uint8) {
        Key memory key = _dids[didHash];
        if (key.institution == 0) return (0, UNKNOWN_DID);
        if (time < key.from || time >= key.until) return (key.institution, KEY_NOT_VALID);
        return (key.institution, ACCREDITED);
    }

    function _suspendedAt(bytes32 institution, Institution memory record, uint64 time) private view returns (bool) {
        if (record.suspendedAt != 0 && time >= record.suspendedAt) return true;
        for (uint256 i = record.pastSuspensions; i > 0; --i) {
            Period memory period = _pastSuspensions[institution][i - 1];
            if (time >= period.until) return false;
            if (time >= period.from) return true;
        }
        return false;
    }

    /// @dev Accredited before provisional before any refusal; of two refusals the one that says more.
    function _better(uint8 a, uint8 b) private pure returns (uint8) {
        if (a == ACCREDITED || b == ACCREDITED) return ACCREDITED;
        if (a == PROVISIONAL || b == PROVISIONAL) return PROVISIONAL;
        return a > b ? a : b;
    }

    function _period(uint64 from, uint64 until) private pure returns (uint40 start, uint40 end) {
        if (from >= FOREVER) revert TimeOutOfRange(from);
        if (until > FOREVER) revert TimeOutOfRange(until);
        start = uint40(from);
        end = until == 0 ? FOREVER : uint40(until);
        if (end <= start) revert EmptyPeriod(from, until);
    }

    function _notPast(uint64 when) private view returns (uint40) {
        if (when < block.timestamp) revert PastIsFixed(when);
        if (when >= FOREVER) revert TimeOutOfRange(when);
        return uint40(when);
    }
}
// slither-disable-end timestamp
