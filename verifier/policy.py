"""What a verifier insists on. A policy is a value: two verifiers with equal policies agree."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from verifier.report import CHECK_IDS, HOLDER

ALL_CHECKS = frozenset(CHECK_IDS)


@dataclass(frozen=True, slots=True)
class VerificationPolicy:
    """Which checks must pass and how old a cached fact may be.

    - ``required``: ids of the checks the verdict hangs on; the others are still run and shown.
    - ``max_status_age``: how long ago a status list may have been fetched.
    - ``max_chain_age``: how long ago a (final) answer of the chain may have been read.
    - ``confirmations``: blocks on top of and including the anchor's; None takes the network's own
      number, and a number here never lowers it.
    - ``allow_missing_anchor``: a credential without a receipt may still be valid; accreditation is
      then judged as of today and as of the date the issuer wrote, which nothing proves.
    - ``clock_skew``: how far another clock may run ahead of this one.
    - ``max_presentation_age``: how long ago a holder may have signed a presentation.
    - ``holder_binding``: whether a credential bound to a key counts only in its holder's hand.

    Raises ``ValueError`` for an unknown check id, so that a misspelt one does not go unrequired.
    """

    required: frozenset[str] = ALL_CHECKS
    max_status_age: timedelta = timedelta(days=1)
    max_chain_age: timedelta = timedelta(minutes=10)
    confirmations: int | None = None
    allow_missing_anchor: bool = False
    clock_skew: timedelta = timedelta(minutes=5)
    max_presentation_age: timedelta = timedelta(minutes=5)
    holder_binding: bool = True

    def __post_init__(self) -> None:
        unknown = self.required - ALL_CHECKS
        if unknown:
            raise ValueError(f"unknown check ids: {sorted(unknown)}")

    def required_for(self, *, anchored: bool, bound: bool = False) -> frozenset[str]:
        """The ids the verdict hangs on. Only a credential that really comes without a receipt is
        spared the two checks of one; a receipt that is there must hold. ``bound``: it is bound to
        a holder's key, or a binding was asked for."""
        required = self.required
        if bound and self.holder_binding:
            required = required | {HOLDER}
        if anchored or not self.allow_missing_anchor:
            return required
        return required - {"merkle-path", "anchor"}


DEFAULT_POLICY = VerificationPolicy()
