"""A server configured as the W3C's test suites expect one, and the configuration they read.

    python scripts/conformance/serve.py --port 40443 --config localConfig.cjs

Makes a home in a temporary folder with one institution, turns issuing over the VC-API on, makes an
access token, and serves https with a certificate of its own making. The file it writes names the
endpoints, the institution's DID and the token for all three suites (data model 2.0, Data Integrity
EdDSA, Bitstring Status List); put it into the suite's folder and run ``npm test`` there.

For tests only: it knows the examples context, which lets any word mean something, and it answers
400 to what does not verify, as the suites ask.
"""

from __future__ import annotations

import argparse
import json
import socket
import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from api.app import create_app
from baeum import operations
from baeum.commands.serve import services
from baeum.home import Home, now
from baeum.settings import Settings
from credential import contexts, integrity
from credential.text import Text
from ledger.access import accounts, sessions
from ledger.access.permissions import Permission
from ledger.institutions import Accredited, Entry

INSTITUTION = "conformance"
EXAMPLES = "https://www.w3.org/ns/credentials/examples/v2"
EXAMPLES_CONTEXT = {"@context": {"@vocab": "https://www.w3.org/ns/credentials/examples#"}}
SINCE = datetime(2020, 1, 1, tzinfo=UTC)


def prepare(home: Home) -> str:
    """Set the home up with the institution; returns a token that may issue for it."""
    entry = Entry(
        INSTITUTION,
        Text("적합성 시험 기관", "Conformance institution"),
        None,
        (Accredited("course", SINCE, None), Accredited("registrar", SINCE, None)),
    )
    operations.set_up(home, [entry])
    with home.database.session() as session:
        code = accounts.invite(
            session, "suite", ["issuer"], now(), shown="Suite", institution_id=INSTITUTION
        )
        accounts.accept(session, code, "only for this run of the suites", now())
    with home.database.session() as session:
        account = accounts.by_name(session, "suite")
        _, token = sessions.create_token(
            session, account, "suites", [Permission.CREDENTIALS_ISSUE], now(), timedelta(days=1)
        )
        return token


def configuration(url: str, did: str, token: str) -> dict[str, Any]:
    """What the suites' ``localConfig.cjs`` exports."""
    headers = {"Authorization": f"Bearer {token}"}
    shared = {"supports": {"vc": ["2.0"]}}

    def issuer(suite: str, *tags: str) -> dict[str, Any]:
        return shared | {
            "id": did,
            "endpoint": f"{url}/credentials/issue",
            "headers": headers,
            "options": {"cryptosuite": suite},
            "tags": list(tags),
        }

    def verifier(path: str, options: dict[str, Any], *tags: str) -> dict[str, Any]:
        return shared | {
            "id": did,
            "endpoint": f"{url}{path}",
            "options": options,
            "tags": list(tags),
        }

    asked = {"checks": ["proof"]}
    return {
        "settings": {"enableInteropTests": False, "testAllImplementations": False},
        "implementations": [
            {
                "name": "Baeum",
                "implementation": "Baeum",
                "issuers": [
                    issuer(integrity.RDFC, "vc2.0", "BitstringStatusList", integrity.RDFC),
                    issuer(integrity.JCS, integrity.JCS),
                ],
                "verifiers": [
                    verifier("/credentials/verify", asked, "vc2.0", integrity.RDFC, integrity.JCS),
                    verifier(
                        "/credentials/verify",
                        {"checks": ["proof", "credentialStatus"]},
                        "BitstringStatusList",
                    ),
                ],
                "vpVerifiers": [verifier("/presentations/verify", asked, "vc2.0")],
            }
        ],
    }


def certificate(folder: Path) -> tuple[Path, Path]:
    """A key and a certificate for this machine, good for a day."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now() - timedelta(minutes=5))
        .not_valid_after(now() + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
            ),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    key_file, certificate_file = folder / "key.pem", folder / "certificate.pem"
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    certificate_file.write_bytes(built.public_bytes(serialization.Encoding.PEM))
    return key_file, certificate_file


def serve(port: int, config: Path) -> None:
    contexts.admit(EXAMPLES, EXAMPLES_CONTEXT)
    port = port or _free_port()
    url = f"https://localhost:{port}"
    with tempfile.TemporaryDirectory(prefix="baeum-conformance-") as folder:
        settings = Settings(home=Path(folder) / "home", public_url=url, vc_api_issuer=True)
        with Home(settings) as home:
            token = prepare(home)
            offered = configuration(url, home.keystore.did(INSTITUTION), token)
            config.write_text(f"module.exports = {json.dumps(offered, indent=2)};\n")
            app = create_app(replace(services(home), failed_status=400))
            key_file, certificate_file = certificate(Path(folder))
            print(f"{url} serves; {config} is written", flush=True)
            uvicorn.run(
                app,
                host="127.0.0.1",
                port=port,
                ssl_keyfile=str(key_file),
                ssl_certfile=str(certificate_file),
                log_level="warning",
            )


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=40443, help="0 takes a free one")
    parser.add_argument("--config", type=Path, default=Path("localConfig.cjs"))
    options = parser.parse_args()
    serve(options.port, options.config)


if __name__ == "__main__":
    main()
