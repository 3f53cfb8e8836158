"""Seals of permissioned networks, made here by keys of this run and by nobody else."""

from __future__ import annotations

import pytest
import rlp
from eth_keys import keys

from credential.chain_proof import Header, NotProven
from credential.seals import CLIQUE, QBFT, block_hash, require_quorum, signers

KEYS = [keys.PrivateKey(bytes([number]) * 32) for number in range(1, 8)]
ADDRESSES = [key.public_key.to_canonical_address() for key in KEYS]
VANITY = bytes(32)


def header(extra: bytes, *, parent: bytes = b"\x01" * 32, number: int = 7) -> Header:
    roots = [b"\x02" * 32] * 3
    head = (parent, b"\x1d" * 32, bytes(20), *roots, bytes(256), b"\x01", bytes([number]))
    return Header((*head, b"\x01", b"", b"\x64", extra, bytes(32), bytes(8), b"\x07"))


def qbft(signing: list[keys.PrivateKey], *, round_: bytes = b"", vote: list | None = None, **at):
    parts = [VANITY, ADDRESSES[:4], vote or [], round_]
    digest = header(rlp.encode([*parts, []]), **at).hash
    seals = [key.sign_msg_hash(digest).to_bytes() for key in signing]
    return header(rlp.encode([*parts, seals]), **at)


def clique(key: keys.PrivateKey, listed: list[bytes] = (), **at) -> Header:  # type: ignore[assignment]
    extra = VANITY + b"".join(listed)
    digest = header(extra, **at).hash
    return header(extra + key.sign_msg_hash(digest).to_bytes(), **at)


def test_qbft_two_thirds_of_the_validators():
    four = frozenset(ADDRESSES[:4])
    sealed = qbft(KEYS[:3])
    assert signers(sealed, QBFT) == frozenset(ADDRESSES[:3])
    assert require_quorum([sealed], QBFT, four) == frozenset(ADDRESSES[:3])
    with pytest.raises(NotProven):
        require_quorum([qbft(KEYS[:2])], QBFT, four)


@pytest.mark.parametrize(("validators", "needed"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 4), (7, 5)])
def test_qbft_quorum_is_two_thirds_rounded_up(validators, needed):
    trusted = frozenset(ADDRESSES[:validators])
    require_quorum([qbft(KEYS[:needed])], QBFT, trusted)
    with pytest.raises(NotProven):
        require_quorum([qbft(KEYS[: needed - 1])], QBFT, trusted)


def test_qbft_one_validator_sealing_many_times_counts_once():
    with pytest.raises(NotProven):
        require_quorum([qbft([KEYS[0]] * 4)], QBFT, frozenset(ADDRESSES[:4]))


def test_qbft_validators_named_by_the_header_itself_do_not_count():
    """The set is the verifier's: a header that lists other validators convinces nobody."""
    with pytest.raises(NotProven):
        require_quorum([qbft(KEYS[:4])], QBFT, frozenset(ADDRESSES[4:7]))
    with pytest.raises(NotProven):
        require_quorum([qbft(KEYS[:4])], QBFT, frozenset())


def test_qbft_hash_is_the_same_whatever_round_and_seals():
    hashes = {
        block_hash(qbft(KEYS[:3]), QBFT),
        block_hash(qbft(KEYS[1:4]), QBFT),
        block_hash(qbft(KEYS[:3], round_=b"\x02"), QBFT),
    }
    assert len(hashes) == 1
    assert block_hash(qbft(KEYS[:3]), None) not in hashes
    assert block_hash(qbft(KEYS[:3], vote=[ADDRESSES[5], b"\xff"]), QBFT) not in hashes


def test_qbft_seal_is_over_the_round():
    sealed = qbft(KEYS[:3])
    extra = rlp.decode(sealed.extra_data)
    moved = sealed.with_extra_data(rlp.encode([*extra[:3], b"\x01", extra[4]]))
    assert not signers(moved, QBFT) & frozenset(ADDRESSES)


def test_qbft_seals_of_another_block():
    seals = rlp.decode(qbft(KEYS[:4]).extra_data)
    other = header(rlp.encode(seals), number=8)
    with pytest.raises(NotProven):
        require_quorum([other], QBFT, frozenset(ADDRESSES[:4]))


def chain(signing: list[keys.PrivateKey]) -> list[Header]:
    made: list[Header] = []
    for number, key in enumerate(signing, 7):
        parent = made[-1].hash if made else b"\x01" * 32
        made.append(clique(key, parent=parent, number=number))
    return made


def test_clique_more_than_half_of_the_signers():
    trusted = frozenset(ADDRESSES[:4])
    assert require_quorum(chain(KEYS[:3]), CLIQUE, trusted) == frozenset(ADDRESSES[:3])
    with pytest.raises(NotProven):
        require_quorum(chain(KEYS[:2]), CLIQUE, trusted)
    with pytest.raises(NotProven):  # one signer, however often
        require_quorum(chain([KEYS[0]] * 6), CLIQUE, trusted)


def test_clique_a_signer_who_is_not_in_the_set():
    with pytest.raises(NotProven):
        require_quorum(chain([*KEYS[:4], KEYS[6]]), CLIQUE, frozenset(ADDRESSES[:4]))


def test_clique_epoch_block_lists_signers_and_is_sealed_all_the_same():
    epoch = clique(KEYS[2], ADDRESSES[:4])
    assert signers(epoch, CLIQUE) == frozenset({ADDRESSES[2]})


@pytest.mark.parametrize("kind", [QBFT, CLIQUE])
@pytest.mark.parametrize(
    "extra",
    [
        b"",
        b"\xc0",
        bytes(96),
        bytes(97),
        bytes(200),
        rlp.encode([VANITY, [], [], b"", [b"\0" * 64]]),
        rlp.encode([VANITY, [], [], b"", b"x"]),
        rlp.encode([VANITY, [], [], b"", [b"\xff" * 65]]),
    ],
)
def test_extra_data_without_a_usable_seal(kind, extra):
    with pytest.raises(NotProven):
        require_quorum([header(extra)], kind, frozenset(ADDRESSES))
