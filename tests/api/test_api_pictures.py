"""QR codes in pictures, and pictures made to hurt."""

from __future__ import annotations

import contextlib
import io
import struct
import zlib

import pytest
import segno
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from api.pictures import NoQrCode, PictureUnreadable, is_picture, qr_texts

PIXELS = 20_000_000
LONGEST = "v1." + "Ab3_-" * 570


def qr_png(text: str, *, scale: int = 4, **options: object) -> bytes:
    out = io.BytesIO()
    segno.make(text, error="l", micro=False).save(out, kind="png", scale=scale, **options)
    return out.getvalue()


def converted(png: bytes, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").save(out, kind, **options)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
def test_the_largest_code_is_read_from_every_kind(kind: str) -> None:
    data = converted(qr_png(LONGEST), kind)
    assert is_picture(data)
    assert qr_texts(data, max_pixels=PIXELS) == [LONGEST]


def test_a_photograph_lying_on_its_side() -> None:
    upright = Image.open(io.BytesIO(qr_png(LONGEST))).convert("RGB")
    page = Image.new("RGB", (1600, 1200), "#d8d4cc")
    page.paste(upright.resize((1000, 1000)), (300, 80))
    exif = Image.Exif()
    exif[0x0112] = 6
    out = io.BytesIO()
    page.rotate(7, fillcolor="#8a8478").save(out, "JPEG", quality=80, exif=exif)
    assert qr_texts(out.getvalue(), max_pixels=PIXELS) == [LONGEST]


def test_a_code_on_a_transparent_ground() -> None:
    data = qr_png("v1.clear", light=None)
    assert qr_texts(data, max_pixels=PIXELS) == ["v1.clear"]


def test_several_codes_are_all_found() -> None:
    page = Image.new("RGB", (900, 400), "white")
    for left, text in ((20, "v1.one"), (480, "https://example.org/")):
        page.paste(Image.open(io.BytesIO(qr_png(text, scale=9))), (left, 20))
    out = io.BytesIO()
    page.save(out, "PNG")
    assert sorted(qr_texts(out.getvalue(), max_pixels=PIXELS)) == ["https://example.org/", "v1.one"]


def test_a_picture_without_a_code() -> None:
    page = Image.new("RGB", (300, 300), "white")
    ImageDraw.Draw(page).ellipse((50, 50, 250, 250), fill="black")
    out = io.BytesIO()
    page.save(out, "PNG")
    with pytest.raises(NoQrCode):
        qr_texts(out.getvalue(), max_pixels=PIXELS)


def test_a_pixel_bomb_is_refused_by_its_header() -> None:
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    chunk = b"IHDR" + header
    bomb = (
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I", len(header))
        + chunk
        + struct.pack(">I", zlib.crc32(chunk))
        + b"\x00\x00\x00\x00IDAT"
    )
    with pytest.raises(PictureUnreadable):
        qr_texts(bomb, max_pixels=PIXELS)


def test_a_cut_off_picture() -> None:
    with pytest.raises((PictureUnreadable, NoQrCode)):
        qr_texts(qr_png(LONGEST)[:900], max_pixels=PIXELS)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["PNG", "JPEG", "WEBP", "GIF", "BMP"]), st.data())
def test_damaged_pictures_are_read_or_refused(kind: str, data: st.DataObject) -> None:
    whole = bytearray(converted(qr_png("v1.small"), kind))
    for _ in range(data.draw(st.integers(1, 6))):
        whole[data.draw(st.integers(4, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(PictureUnreadable, NoQrCode):
        qr_texts(bytes(whole), max_pixels=PIXELS)
