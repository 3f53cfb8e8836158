"""``baeum serve``: portal, verifier and read-only chain on one port, and the worker beside them."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Annotated, Any

import typer

from baeum import __version__
from baeum.console import err, tr
from credential.errors import BaeumError
from credential.text import Text

if TYPE_CHECKING:
    from api.services import Services
    from baeum.home import Home
    from credential.evidence import Evidence
    from issuer.direct import DirectIssuer
    from verifier.report import Report

_log = logging.getLogger("baeum.worker")
INTERVAL = 2.0
"""Seconds between two looks at the outbox and the status lists."""


def services(home: Home) -> Services:
    """What the HTTP application is given from this home."""
    from api.services import Services, lists_in
    from baeum.awarding import office_of
    from baeum.home import now
    from ledger.access.door import Door
    from verifier.verify import verify

    trust = home.trust()
    chains = home.chains(trust)
    source = home.status_source()
    dids = home.did_source()
    transactions = home.transactions()

    def check(evidence: Evidence) -> Report:
        return verify(
            evidence,
            trust=trust,
            chain=chains,
            status_source=source,
            did_source=dids,
            transactions=transactions,
            now=now(),
        )

    def database_answers() -> None:
        from sqlalchemy import text

        with home.database.reading() as session:
            session.execute(text("SELECT 1"))

    def did_document(institution: str | None) -> dict[str, Any] | None:
        from issuer.did_documents import document

        with home.database.reading() as session:
            return document(session, institution)

    def chain_answers() -> Any:
        return home.endpoint().call("eth_blockNumber", [])

    return Services(
        verify=check,
        direct=_direct_issuer(home) if home.settings.vc_api_issuer else None,
        trust=trust,
        public_url=home.settings.public_url,
        version=__version__,
        door=Door(home.database, now),
        office=office_of(home),
        rpc=home.endpoint().call if home.settings.embedded_chain else None,
        status_list=lists_in(home.status_directory),
        did_document=did_document,
        probes={"database": database_answers, "chain": chain_answers},
    )


def _direct_issuer(home: Home) -> DirectIssuer:
    from baeum import operations
    from baeum.home import now
    from issuer.direct import DirectIssuer

    return DirectIssuer(
        home.database,
        home.keystore,
        home.settings.public_url,
        now,
        lambda: operations.publish(home),
    )


class Worker:
    """Drives batches to final and keeps status lists fresh while the server runs."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="baeum-worker", daemon=True)

    def __enter__(self) -> Worker:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(timeout=30)

    def _run(self) -> None:
        while not self._stop.wait(INTERVAL):
            try:
                self._once()
            except BaeumError as error:
                # Nothing is lost: the state is in the database and the next look goes on.
                _log.warning("%s: %s", error.code, error.detail.en)

    def _once(self) -> None:
        from baeum import operations
        from baeum.awarding import follow

        anchorer = self._home.anchorer()
        for step in anchorer.recover():
            _log.warning(
                "batch %s: a reorganisation took its block away after it was final; it is sent "
                "again, hand its evidence out anew",
                step.batch_id,
            )
        for batch_id in anchorer.pending():
            if self._stop.is_set():
                return
            try:
                step = anchorer.step(batch_id)
            except BaeumError as error:
                _log.warning("batch %s waits: %s: %s", batch_id, error.code, error.detail.en)
                continue
            if step.before != step.after:
                _log.info("batch %s: %s -> %s", batch_id, step.before, step.after)
        follow(self._home)
        operations.publish(self._home)


def register(app: typer.Typer) -> None:
    @app.command(epilog="Example: `baeum serve --port 8780`, then open http://127.0.0.1:8780")
    def serve(
        host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
        port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)] = 8780,
    ) -> None:
        """Portal, verifier and read-only chain on one port; drives the outbox beside them."""
        import uvicorn

        from api.app import create_app
        from baeum.commands.issuing import SELF_RUN
        from baeum.home import Home
        from baeum.settings import load
        from ledger.chain.endpoint import EndpointUnreachable

        logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s %(message)s", level="INFO")
        with Home(load()) as home:
            network = home.network()
            try:
                home.require_our_contracts()
            except EndpointUnreachable as error:
                # Verification says "not run" meanwhile, and the worker asks again.
                _log.warning("%s: %s", error.code, error.detail.en)
            err.print(
                tr(
                    Text(
                        f"http://{host}:{port} 에서 열립니다. 멈추려면 Ctrl+C",
                        f"Open http://{host}:{port}; Ctrl+C stops it",
                    )
                )
            )
            if network.self_run:
                err.print(tr(SELF_RUN), style="yellow", soft_wrap=True)
            with Worker(home):
                uvicorn.run(create_app(services(home)), host=host, port=port, log_level="warning")
