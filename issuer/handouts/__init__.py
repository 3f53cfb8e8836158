"""Handing out what is stored in a selectively disclosable form: SD-JWT VC, and plain ``vc+jwt``.

Nothing new is decided here: a hand-out is derived on request from the record and the credential
that are there, and lives and dies with them.
"""

from issuer.handouts.hand_out import (
    CredentialNotInForce,
    HandOut,
    HolderKeyUnusable,
    MustBeDiscreet,
    as_vc_jwt,
    hand_out,
    hand_out_transcript,
)
from issuer.handouts.predicates import PREDICATES, UnknownPredicate, attest
from issuer.handouts.types import metadata, names, vct

__all__ = [
    "PREDICATES",
    "CredentialNotInForce",
    "HandOut",
    "HolderKeyUnusable",
    "MustBeDiscreet",
    "UnknownPredicate",
    "as_vc_jwt",
    "attest",
    "hand_out",
    "hand_out_transcript",
    "metadata",
    "names",
    "vct",
]
