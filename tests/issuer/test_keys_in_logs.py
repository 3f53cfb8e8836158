"""Keys in logs: whatever goes wrong, no key, passphrase or PIN is in what is written or raised."""

from __future__ import annotations

import base64
import json
import logging
import traceback
from pathlib import Path

import population
import pytest
from population import CENTRE, NOW, PLACE, PUBLIC_URL, UNIVERSITY, populate

from issuer.issuance import issue
from issuer.keys import Keystore, TokenPlace, keyfile
from issuer.keys.process import SigningProcesses
from ledger.database.session import Database

PASSPHRASE = "a passphrase"


def written(secret: bytes) -> list[str]:
    """The ways bytes end up in text."""
    return [
        secret.hex(),
        base64.b64encode(secret).decode(),
        base64.urlsafe_b64encode(secret).decode().rstrip("="),
        repr(secret),
    ]


def test_no_secret_is_in_logs_errors_or_representations(
    database: Database,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    keys = populate(database, tmp_path, 4)
    secret = keyfile.read(
        tmp_path / "keys" / f"{UNIVERSITY}.key", PASSPHRASE, kind="ed25519", owner=UNIVERSITY
    ).secret
    said: list[str] = []
    with SigningProcesses(keys) as processes:
        issue(database, processes, place=PLACE, public_url=PUBLIC_URL, now=NOW, workers=1)
        said += [repr(processes), repr(processes.signer(UNIVERSITY)), repr(processes._running)]
    said += [repr(keys), repr(keys.signer(UNIVERSITY)), repr(keys.grant(UNIVERSITY))]
    said.append(repr(TokenPlace(Path("x.so"), "label", PASSPHRASE)))
    (tmp_path / "keys" / f"{CENTRE}.key").write_bytes(b"{}")
    for attempt in (
        lambda: keys.grant(CENTRE),
        lambda: keys.signer("nobody"),
        lambda: Keystore(tmp_path / "keys", "guess", work=population.CHEAP).signer(UNIVERSITY),
        lambda: keys.signer(UNIVERSITY, "did:key:z6Mk#z6Mk"),
    ):
        with pytest.raises(keyfile.KeyfileError) as caught:
            attempt()
        said.append("".join(traceback.format_exception(caught.value)))
        said.append(json.dumps(caught.value.to_json(), ensure_ascii=False))
    printed = capfd.readouterr()
    text = "\n".join([*said, caplog.text, printed.out, printed.err])
    assert UNIVERSITY in text  # something was said
    for part in (secret[:32], secret[32:], secret):
        for form in written(part):
            assert form not in text
    assert PASSPHRASE not in text
