"""A credential on paper: what is printed can be read back, whole."""

from __future__ import annotations

import io
import secrets

import pytest
import zxingcpp
from PIL import Image

from credential import paper as paper_format
from wallet import paper


def scanned(png: bytes) -> str:
    found = zxingcpp.read_barcodes(Image.open(io.BytesIO(png)))
    assert len(found) == 1
    return str(found[0].text)


def test_a_printed_code_holds_the_whole_evidence(desk):
    evidence = desk.issue()
    text = scanned(paper.qr_png(evidence))
    assert text.startswith("v1.")
    assert paper_format.decode(text) == evidence


def test_a_code_that_is_a_link_keeps_the_evidence_behind_the_hash(desk):
    evidence = desk.issue()
    text = scanned(paper.qr_png(evidence, "https://baeum.example/verify#old"))
    address, _, payload = text.partition("#")
    assert address == "https://baeum.example/verify"
    assert paper_format.decode(payload) == evidence


def test_svg_is_svg(desk):
    drawn = paper.qr_svg(desk.issue())
    assert drawn.startswith(b"<?xml")
    assert b"<svg" in drawn


def test_too_large_for_paper(desk):
    large = desk.issue(name=secrets.token_hex(3000))
    with pytest.raises(paper_format.TooLargeForPaper):
        paper.qr_png(large)
    with pytest.raises(paper_format.TooLargeForPaper):
        paper.qr_png(desk.issue(), "https://baeum.example/" + "x" * 2953)
