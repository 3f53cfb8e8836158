"""What an error of reading a token means for the step that met it: wrong, or not known here."""

from __future__ import annotations

from credential.errors import BaeumError
from credential.jose import JwsUnsupported
from credential.text import Text
from verifier.report import Finding, failed, not_run


def judged(error: BaeumError, remedy: Text) -> Finding:
    """``not_run`` for an algorithm or header this verifier does not know, otherwise ``failed``."""
    code = str(error.facts.get("reason", error.code))
    if isinstance(error, JwsUnsupported):
        return not_run(code, error.detail, remedy=error.remedy or remedy)
    return failed(code, error.detail, remedy=error.remedy or remedy)
