"""A real PKCS#11 token for tests: SoftHSM, with its tokens in a temporary folder."""

from __future__ import annotations

import atexit
import os
import secrets
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import pkcs11
import pytest

from issuer.keys import TokenPlace
from issuer.keys.token import open_token

_MODULES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/softhsm/libsofthsm2.so",
    "/opt/homebrew/lib/softhsm/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
)
PIN = "24681357"


def module() -> Path:
    """The library. Without it the test is skipped, or fails where everything must run."""
    for name in _MODULES:
        if Path(name).exists():
            return Path(name)
    if os.environ.get("BAEUM_TEST_ALL") == "1":
        pytest.fail("SoftHSM is not installed (Debian: apt install softhsm2)")
    pytest.skip("SoftHSM is not installed (Debian: apt install softhsm2)")


@cache
def _folder() -> Path:
    # The library reads its configuration once a process, so the folder lives as long.
    folder = Path(tempfile.mkdtemp(prefix="baeum-softhsm-"))
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(
        f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\n"
    )
    os.environ["SOFTHSM2_CONF"] = str(folder / "softhsm2.conf")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def new_token() -> TokenPlace:
    """An empty token of its own; ``SOFTHSM2_CONF`` points at it for this process's children."""
    library = module()
    _folder()
    label = f"test-{secrets.token_hex(4)}"
    subprocess.run(
        [
            "softhsm2-util",
            "--init-token",
            "--free",
            "--label",
            label,
            "--so-pin",
            "1122334455",
            "--pin",
            PIN,
        ],
        check=True,
        capture_output=True,
    )
    # A token made after the library was opened is not seen by it; opened anew, it forgets sessions.
    open_token.cache_clear()
    pkcs11.unload(str(library))
    return TokenPlace(library, label, PIN)
