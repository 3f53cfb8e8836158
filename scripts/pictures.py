"""Takes the pictures the README shows, of the real pages on the demo's own files.

Run `scripts/run` first, then `.venv/bin/python scripts/pictures.py`. Needs Chromium and the
development dependencies; starts a server of its own on a free port and stops it.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
sys.path.insert(0, str(ROOT / "tests"))

from chromium import FLAGS, find  # noqa: E402


def _invitation(port: int) -> str:
    """A fresh invitation of the demo's learner who is ten minutes short, on this server."""
    answer = subprocess.run(
        [
            ROOT / ".venv" / "bin" / "baeum",
            "access",
            "invite",
            "hong.picture",
            "--json",
            "--role",
            "citizen",
            "--learner",
            "SM24-000303",
        ],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    code = json.loads(answer.stdout)["link"].rpartition("code=")[2]
    return f"http://127.0.0.1:{port}/invitation?code={code}&lang=en"


def main() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    server = subprocess.Popen(
        [sys.executable, "-m", "baeum", "serve", "--port", str(port)], cwd=ROOT
    )
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(f"{url}/healthz", timeout=2).close()
                break
            except (urllib.error.URLError, TimeoutError):
                time.sleep(0.2)
        with sync_playwright() as play:
            browser = play.chromium.launch(executable_path=find(), args=list(FLAGS))
            context = browser.new_context(
                viewport={"width": 900, "height": 1000}, locale="en-US", device_scale_factor=1
            )
            page = context.new_page()
            page.goto(f"{url}/verify?lang=en")
            evidence = ROOT / ".baeum" / "evidence" / "valid.baeum.json"
            page.locator("input[type=file]").first.set_input_files(evidence)
            page.get_by_text("Valid", exact=False).first.wait_for()
            page.wait_for_timeout(300)
            page.screenshot(path=DOCS / "verify.png")
            page.goto(_invitation(port))
            page.locator("#new-password").fill("four words in a row")
            page.locator("#again").fill("four words in a row")
            page.locator("main button").click()
            page.locator("nav.places").wait_for()
            page.goto(f"{url}/learning/degree?degree=bachelor&lang=en")
            page.wait_for_timeout(300)
            page.screenshot(path=DOCS / "learning.png")
            browser.close()
    finally:
        server.terminate()
        server.wait(timeout=30)


if __name__ == "__main__":
    main()
