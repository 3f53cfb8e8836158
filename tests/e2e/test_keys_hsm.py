"""A city whose keys are in a PKCS#11 token from the first day, run by its commands."""

from __future__ import annotations

import pytest
import softhsm
from small_city import UNIVERSITY, Found, found_city  # noqa: F401

pytestmark = pytest.mark.xdist_group("softhsm")


def test_keys_are_made_and_used_in_the_token(found_city: Found) -> None:  # noqa: F811
    token = softhsm.new_token()
    city = found_city(
        BAEUM_PKCS11_MODULE=str(token.module),
        BAEUM_PKCS11_TOKEN=token.label,
        BAEUM_PKCS11_PIN=token.pin,
    )
    shown = city.baeum("keys", "hsm", "init")
    assert shown["token"] == token.label
    assert shown["settings"]["BAEUM_PKCS11_TOKEN"] == token.label
    assert token.pin not in str(shown)
    assert {key["backend"] for key in city.baeum("keys", "list")["keys"]} == {"pkcs11"}
    assert not list((city.home / "keys").glob(f"{UNIVERSITY}*.key"))
    record = city.record()
    city.issue()
    evidence = city.evidence(city.credential_of(record))
    assert city.verify(evidence)["verdict"] == "valid"
    rotated = city.baeum("keys", "rotate", UNIVERSITY)
    assert rotated["new"]["backend"] == "pkcs11"
    assert city.verify(evidence)["verdict"] == "valid"
    p256 = city.baeum("keys", "rotate", UNIVERSITY, "--algorithm", "p256")
    assert (p256["old"], p256["new"]["algorithm"]) == (None, "p256")
    error = city.baeum("keys", "rotate", UNIVERSITY, "--backend", "file", code=2)
    assert error["code"] == "pseudonyms-in-token"


def test_a_token_without_a_pin_or_a_name_is_said(found_city: Found) -> None:  # noqa: F811
    city = found_city()
    assert city.baeum("keys", "hsm", "init", code=2)["code"] == "argument-invalid"
    error = city.baeum("keys", "hsm", "init", "--module", "x.so", "--token", "t", code=2)
    assert error["code"] == "settings-invalid"
