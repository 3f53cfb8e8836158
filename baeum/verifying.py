"""A home's verifier, made anew in whichever process needs one: what bulk verification is given."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from baeum.settings import Settings

if TYPE_CHECKING:
    from verifier.bulk import Verify
    from verifier.report import Report


@dataclass(frozen=True, slots=True)
class HomeVerifier:
    """Picklable: settings, and nothing that is open. Status lists are read at most every five
    minutes, as from any other issuer."""

    settings: Settings

    @contextmanager
    def __call__(self) -> Iterator[Verify]:
        from baeum.home import Home, now
        from verifier.status_source import CachedSource
        from verifier.verify import verify

        with Home(self.settings) as home:
            trust = home.trust()
            chains = home.chains(trust)
            source = CachedSource(home.status_source(), clock=now)
            dids = home.did_source()
            transactions = home.transactions()

            def check(evidence: bytes) -> Report:
                return verify(
                    evidence,
                    trust=trust,
                    chain=chains,
                    status_source=source,
                    did_source=dids,
                    transactions=transactions,
                    now=now(),
                )

            yield check
