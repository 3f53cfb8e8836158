"""A credential on paper: a QR code that holds the whole evidence, so that reading it needs no
network and asks nobody.

With a verifier's page given, the code is a link: the evidence sits behind the ``#``, which a
browser keeps to itself, so that the page's server never sees it.
"""

from __future__ import annotations

import io

import segno

from credential import paper
from credential.evidence import Evidence


def qr_text(evidence: Evidence, page: str | None = None) -> str:
    """What the code says: ``v1.<payload>``, or ``{page}#v1.<payload>``.

    Raises ``paper.TooLargeForPaper``.
    """
    text = paper.encode(evidence)
    return text if page is None else f"{page.split('#', 1)[0]}#{text}"


def qr_png(evidence: Evidence, page: str | None = None, *, scale: int = 4) -> bytes:
    """A PNG. ``scale`` is pixels for each module. Raises ``paper.TooLargeForPaper``."""
    return _drawn(qr_text(evidence, page), "png", scale)


def qr_svg(evidence: Evidence, page: str | None = None, *, scale: int = 4) -> bytes:
    """An SVG document. Raises ``paper.TooLargeForPaper``."""
    return _drawn(qr_text(evidence, page), "svg", scale)


def _drawn(text: str, kind: str, scale: int) -> bytes:
    try:
        code = segno.make(text, error="l", micro=False, boost_error=False)
    except segno.DataOverflowError as too_large:  # a long address of the page took the room
        raise paper.TooLargeForPaper(len(text)) from too_large
    drawn = io.BytesIO()
    code.save(drawn, kind=kind, scale=scale, border=4)
    return drawn.getvalue()
