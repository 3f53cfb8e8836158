"""One home put together: database, keys, chain and network, each opened when first asked for.

Commands ask this object and nothing else for what they need, so that each opens only what it uses
and the two sizes differ here alone.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from baeum.settings import Settings, passphrase, pin, secret
from credential.errors import BaeumError
from credential.text import Text

if TYPE_CHECKING:
    from issuer.keys import Keys, Keystore, TokenPlace
    from issuer.place import AnchorPlace
    from ledger.anchoring import Anchorer
    from ledger.chain.endpoint import Endpoint
    from ledger.chain.gateway import Gateway
    from ledger.chain.network import Network
    from ledger.database.session import Database
    from ledger.learners import Identities
    from verifier.blockcerts import Transactions
    from verifier.chain import ChainReader
    from verifier.did_web import DidSource
    from verifier.status_source import StatusSource
    from verifier.trust import Trust


def now() -> datetime:
    """The one clock of the program."""
    return datetime.now(UTC)


class NotSetUp(BaeumError):
    """This home has no network yet."""

    code = "not-set-up"
    title = Text("아직 준비되지 않았습니다", "Not set up yet")
    status = 503

    def __init__(self, home: Path) -> None:
        super().__init__(
            Text(
                f"{home}에 계약과 기관이 아직 등록되지 않았습니다",
                f"No contracts and institutions are registered in {home} yet",
            ),
            Text(
                "baeum setup --institutions FILE 또는 baeum demo를 먼저 실행해 주세요",
                "Run baeum setup --institutions FILE, or baeum demo, first",
            ),
        )


class Home:
    """Everything of one ``BAEUM_HOME``. Close it, or use it in a ``with`` block."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._closers: list[Callable[[], None]] = []
        self._contracts_checked = False
        if settings.templates is not None:
            from issuer.templates import add_folders

            add_folders(settings.templates)

    def __enter__(self) -> Home:
        return self

    def __exit__(self, *_: object) -> None:
        while self._closers:
            self._closers.pop()()

    # --- places -----------------------------------------------------------------------------------

    @property
    def network_file(self) -> Path:
        return self.settings.home / "network.json"

    @property
    def status_directory(self) -> Path:
        return self.settings.home / "public" / "status"

    @property
    def evidence_directory(self) -> Path:
        return self.settings.home / "evidence"

    @property
    def wallet_directory(self) -> Path:
        return self.settings.home / "wallets"

    # --- parts ------------------------------------------------------------------------------------

    @cached_property
    def database(self) -> Database:
        """The database, brought to this program's tables."""
        from ledger.database.session import open_database

        if self.settings.database_url is None:
            self.settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        database = open_database(self.settings.database)
        self._closers.append(database.close)
        database.migrate()
        return database

    @cached_property
    def keystore(self) -> Keystore:
        from issuer.keys import Keystore

        return Keystore(
            self.settings.home / "keys",
            passphrase(self.settings),
            token=token_place(self.settings),
        )

    @cached_property
    def signers(self) -> Keys:
        """What signs: the keystore here, or a process for each institution's keys."""
        from issuer.keys.process import SigningProcesses

        if self.settings.signing == "here":
            return self.keystore
        processes = SigningProcesses(self.keystore)
        self._closers.append(processes.close)
        return processes

    def web_did(self, institution: str) -> str:
        """The institution's did:web under the public address; the registrar's is the host's own.

        Raises ``DidError`` when the address cannot carry one.
        """
        from credential.did import web_did
        from ledger.institutions import is_registrar

        with self.database.reading() as session:
            own = is_registrar(session, institution)
        path = () if own else ("institutions", institution)
        return web_did(self.settings.public_url, *path)

    @cached_property
    def identities(self) -> Identities:
        """The keys of names and identifiers, derived from one secret of this home."""
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        from ledger.learners import Identities

        master = secret(self.settings, "identity").encode("ascii")

        def derive(purpose: bytes) -> bytes:
            return HKDF(SHA256(), 32, salt=None, info=b"baeum/" + purpose).derive(master)

        return Identities(derive(b"commitment/1"), derive(b"name/1"))

    def network(self) -> Network:
        """The contracts this home anchors with. Raises ``NotSetUp``."""
        from ledger.chain.network import Network

        try:
            body = json.loads(self.network_file.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise NotSetUp(self.settings.home) from error
        return Network.from_json(body["networks"][0])

    def write_network(self, network: Network) -> None:
        """Publish what a verifier needs in order to trust this network."""
        entry = network.to_json() | {
            "confirmations": self.settings.confirmations,
            "name": self._network_name().to_json(),
            "rpc": self._public_endpoints(),
        }
        if self.settings.chain_quorum is not None:
            entry["quorum"] = self.settings.chain_quorum
        write_atomically(self.network_file, json.dumps({"networks": [entry]}, ensure_ascii=False))

    def _public_endpoints(self) -> list[str]:
        """Without user names and passwords: the file is handed out."""
        from ledger.chain.endpoint import HttpEndpoint

        if self.settings.embedded_chain:
            return [f"{self.settings.public_url}/rpc"]
        return [HttpEndpoint(url).url for url in self.settings.chain_urls]

    def _network_name(self) -> Text:
        if self.settings.embedded_chain:
            return Text("Baeum 내장 체인", "Baeum embedded chain")
        operator = self.settings.chain_operator_name or self._public_endpoints()[0]
        return Text(operator, operator)

    def endpoint(self, *, write: bool = False) -> Endpoint:
        """The chain: the configured node or nodes, or the embedded chain in this process.

        With ``write`` the embedded chain is owned by this process until the home is closed.
        Raises ``ChainOwned`` when another process owns it.
        """
        if not self.settings.embedded_chain:
            return self._nodes
        return self._embedded_writer if write else self._embedded_reader

    @cached_property
    def _nodes(self) -> Endpoint:
        from ledger.chain.quorum import endpoint_at

        return endpoint_at(self.settings.chain_urls, self.settings.chain_quorum)

    @cached_property
    def _embedded_writer(self) -> Endpoint:
        from ledger.chain.embedded import EmbeddedChain

        keystore = self.keystore
        if not keystore.has_chain_account():
            keystore.create_chain_account()
        chain = EmbeddedChain.open(
            self.settings.home / "chain", operator=keystore.chain_account().address
        )
        self._closers.append(chain.close)
        return chain

    @cached_property
    def _embedded_reader(self) -> Endpoint:
        from ledger.chain.embedded import EmbeddedChain

        if "_embedded_writer" in self.__dict__:
            return self._embedded_writer
        chain = EmbeddedChain.open(self.settings.home / "chain", read_only=True)
        self._closers.append(chain.close)
        return chain

    def gateway(self, *, write: bool = True) -> Gateway:
        """What the outbox speaks to: endpoint, contracts and the account that pays."""
        from ledger.chain.gateway import Gateway

        return Gateway(self.endpoint(write=write), self.network(), self.keystore.chain_account())

    def require_our_contracts(self) -> None:
        """Compare the code on the chain with the committed artifacts, once in a process.

        Raises ``CodeDiffers``: nothing is anchored with contracts that are not ours.
        """
        from ledger.chain.network import check_code

        if not self._contracts_checked:
            check_code(self.endpoint(write=True), self.network())
            self._contracts_checked = True

    def anchorer(self) -> Anchorer:
        """Drives the outbox. Raises ``ChainOwned``, ``CodeDiffers``, ``EndpointUnreachable``."""
        from ledger.anchoring import Anchorer, AnchorPolicy

        self.require_our_contracts()
        gateway = self.gateway()
        return Anchorer(
            self.database,
            gateway,
            chain_id=self.network().chain_id,
            policy=AnchorPolicy(
                confirmations=self.settings.confirmations,
                max_fee_per_gas=self.settings.max_fee_gwei * 10**9,
            ),
            clock=now,
        )

    def place(self) -> AnchorPlace:
        """Where batches go: this network, sent by the registrar."""
        from sqlalchemy import select

        from issuer.place import AnchorPlace
        from ledger.database.models import Accreditation

        network = self.network()
        with self.database.reading() as session:
            registrar = session.scalars(
                select(Accreditation.institution_id)
                .where(Accreditation.kind == "registrar")
                .order_by(Accreditation.id)
                .limit(1)
            ).first()
        if registrar is None:
            raise NotSetUp(self.settings.home)
        return AnchorPlace(network.chain_id, network.anchor, registrar)

    # --- the verifier's side ----------------------------------------------------------------------

    def trust(self) -> Trust:
        """This home's network, if any, and those configured. Raises ``TrustUnreadable``."""
        from verifier.trust import Trust

        own = [self.network_file] if self.network_file.exists() else []
        return Trust.load([*own, *self.settings.trusted_networks])

    def chains(self, trust: Trust) -> Callable[[int], ChainReader | None]:
        """A reader for each trusted chain: in process for the embedded one, by RPC for others."""
        from verifier.chain import ChainReader
        from verifier.rpc import rpc_at

        readers: dict[int, ChainReader | None] = {}

        def reader(chain_id: int) -> ChainReader | None:
            if chain_id not in readers:
                readers[chain_id] = make(chain_id)
            return readers[chain_id]

        def make(chain_id: int) -> ChainReader | None:
            networks = trust.on_chain(chain_id)
            if not networks:
                return None
            if self.settings.embedded_chain and networks[0].self_run and self._is_own(chain_id):
                return ChainReader(self.endpoint().call, chain_id)
            urls, quorum = networks[0].rpc, networks[0].quorum
            if not self.settings.embedded_chain and self._is_own(chain_id):
                urls, quorum = self.settings.chain_urls, self.settings.chain_quorum
            return ChainReader(rpc_at(urls, quorum), chain_id) if urls else None

        return reader

    def _is_own(self, chain_id: int) -> bool:
        return self.network_file.exists() and self.network().chain_id == chain_id

    def did_source(self) -> DidSource | None:
        """Where DID documents of others' did:web come from; None unless configured."""
        from verifier.did_web import FetchedDids, FirstDid, KeptDids

        sources: list[DidSource] = []
        if self.settings.did_documents is not None:
            sources.append(KeptDids(self.settings.did_documents))
        if self.settings.resolve_did_web:
            sources.append(FetchedDids())
        return FirstDid(sources) if sources else None

    def transactions(self) -> Transactions | None:
        """Looks up what Blockcerts are anchored in; None unless nodes are configured."""
        from verifier.blockcerts_nodes import NodeTransactions
        from verifier.rpc import HttpRpc

        nodes = self.settings.blockcerts_nodes
        callers = {chain: HttpRpc(url) for chain, url in nodes.items()}
        return NodeTransactions(callers) if callers else None

    def status_source(self) -> StatusSource:
        """Lists published by this home from disk, all others over the guarded client, cached."""
        from verifier.status_source import CachedSource, DirectorySource, FirstOf, HttpSource

        return FirstOf(
            [
                DirectorySource(f"{self.settings.public_url}/status", self.status_directory),
                CachedSource(HttpSource()),
            ]
        )


def token_place(
    settings: Settings, module: Path | None = None, label: str | None = None
) -> TokenPlace | None:
    """The PKCS#11 token of the settings, or the one named; None when there is none."""
    from issuer.keys import TokenPlace

    module, label = module or settings.pkcs11_module, label or settings.pkcs11_token
    if module is None or label is None:
        return None
    return TokenPlace(module, label, pin(settings))


def write_atomically(path: Path, content: str) -> None:
    """Replace the file whole: a reader sees the old or the new one, also after a crash."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
