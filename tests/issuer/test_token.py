"""Keys in a PKCS#11 token, against a real SoftHSM: made inside, used through it, never seen."""

from __future__ import annotations

import hashlib
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import pkcs11
import pytest
import softhsm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from nacl.signing import VerifyKey
from pkcs11 import Attribute, ObjectClass

from credential import multikey
from issuer.keys import ED25519, P256, KeyMissing, Keystore, Signer, TokenPlace
from issuer.keys.keyfile import WorkFactor
from issuer.keys.store import PseudonymsInToken
from issuer.keys.token import TokenError, WrongPin, open_token

CHEAP = WorkFactor(n=2**4, r=1, p=1)
UNIVERSITY = "seoul-citizens-university"

pytestmark = pytest.mark.xdist_group("softhsm")


@pytest.fixture(scope="module")
def token() -> TokenPlace:
    return softhsm.new_token()


def store(folder: Path, token: TokenPlace | None) -> Keystore:
    return Keystore(folder / "keys", "correct horse", work=CHEAP, token=token)


def holds(signer: Signer, message: bytes, signature: bytes) -> None:
    """Checks with a library that knows nothing of tokens."""
    key = multikey.decode(signer.verification_method.partition("#")[2])
    if key.kind == ED25519:
        VerifyKey(key.raw).verify(message, signature)
        return
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), key.raw)
    r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
    public.verify(encode_dss_signature(r, s), message, ec.ECDSA(SHA256()))


@pytest.mark.parametrize("algorithm", [ED25519, P256])
def test_a_key_made_in_the_token_signs_and_cannot_be_read(
    token: TokenPlace, tmp_path: Path, algorithm: str
) -> None:
    half = store(tmp_path, token).add(UNIVERSITY, algorithm)
    assert (half.backend, half.number) == ("pkcs11", 1)
    signer = store(tmp_path, token).signer(UNIVERSITY, half.method())
    holds(signer, b"message", signer.sign(b"message"))
    session = open_token(token)._session
    private = [
        key
        for key in session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY})
        if f"/{algorithm}/" in key[Attribute.LABEL]
    ]
    assert private
    for key in private:
        assert key[Attribute.EXTRACTABLE] is False
        assert key[Attribute.NEVER_EXTRACTABLE] is True
        assert key[Attribute.LOCAL] is True  # made there, not taken in
        with pytest.raises(pkcs11.PKCS11Error):
            key[Attribute.VALUE]  # the secret itself
    note = next((tmp_path / "keys").glob("*.token")).read_text()
    assert token.pin not in note + repr(token) + repr(signer) + repr(store(tmp_path, token))


def test_pseudonyms_stay_the_same_when_a_key_moves_into_the_token(
    token: TokenPlace, tmp_path: Path
) -> None:
    files = store(tmp_path, None)
    files.create("moving")
    before = files.signer("moving").pseudonym("lrn_one")
    both = store(tmp_path, token)
    half = both.add("moving", backend="pkcs11")
    assert half.number == 2
    assert both.signer("moving", half.method()).pseudonym("lrn_one") == before
    elsewhere = store(tmp_path / "elsewhere", None)
    elsewhere.create("moving")  # other pseudonyms than those the token has
    with pytest.raises(TokenError, match="another pseudonym key"):
        store(tmp_path / "elsewhere", token).add("moving", backend="pkcs11")


def test_a_key_does_not_move_from_the_token_to_a_file(token: TokenPlace, tmp_path: Path) -> None:
    keys = store(tmp_path, token)
    keys.create("another-institution")
    with pytest.raises(PseudonymsInToken):
        keys.add("another-institution", backend="file")
    assert [k.backend for k in keys.keys("another-institution")] == ["pkcs11"]


def test_what_is_wrong_with_a_token_is_said(token: TokenPlace, tmp_path: Path) -> None:
    half = store(tmp_path, token).add(UNIVERSITY)
    with pytest.raises(WrongPin) as pin:
        open_token(replace(softhsm.new_token(), pin="00000000"))
    assert "BAEUM_PKCS11_PIN" in str(pin.value.remedy)
    with pytest.raises(TokenError):
        open_token(replace(token, label="no-such-token"))
    with pytest.raises(TokenError):
        open_token(replace(token, module=Path("/nowhere/lib.so")))
    with pytest.raises(KeyMissing, match="not configured"):
        store(tmp_path, None).signer(UNIVERSITY, half.method())
    with pytest.raises(KeyMissing):  # the key of another token
        store(tmp_path, softhsm.new_token()).signer(UNIVERSITY, half.method())
    assert open_token(token).info().missing == ()


def _sign(keys: Keystore, method: str) -> bytes:
    return keys.signer(UNIVERSITY, method).sign(hashlib.sha256(b"x").digest())


def test_a_worker_opens_a_session_of_its_own(token: TokenPlace, tmp_path: Path) -> None:
    keys = store(tmp_path, token)
    half = keys.add(UNIVERSITY)
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        signature = pool.submit(_sign, keys, half.method()).result(timeout=60)
    holds(keys.signer(UNIVERSITY, half.method()), hashlib.sha256(b"x").digest(), signature)
