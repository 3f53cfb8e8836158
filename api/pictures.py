"""From a picture to the text of the QR code in it, with limits on what a picture may cost."""

from __future__ import annotations

import io
import warnings

import zxingcpp
from PIL import Image, ImageOps, UnidentifiedImageError

from credential.errors import BaeumError
from credential.text import Text

_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
_MAGIC = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"BM")
# a version-40 code has 185 modules with its margin; more than this adds nothing but time
_LONGEST_SIDE = 4096
_QR = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCode])


class PictureUnreadable(BaeumError):
    """400: not a picture we can open, or one with too many pixels."""

    code = "picture-unreadable"
    title = Text("사진을 열 수 없습니다", "The picture cannot be opened")
    status = 400


class NoQrCode(BaeumError):
    """400: a picture without a readable QR code."""

    code = "no-qr-code"
    title = Text("QR 코드를 찾지 못했습니다", "No QR code was found")
    status = 400


def is_picture(data: bytes) -> bool:
    """Whether the first bytes are those of a picture format we read."""
    return data.startswith(_MAGIC) or (data[:4] == b"RIFF" and data[8:12] == b"WEBP")


def qr_texts(data: bytes, *, max_pixels: int) -> list[str]:
    """The texts of the QR codes in a PNG, JPEG, WebP, GIF or BMP picture, at least one.

    Raises `PictureUnreadable` for anything else and for more than ``max_pixels`` pixels (told
    from the header, before a pixel is decoded), `NoQrCode` when nothing is found.
    """
    picture = _open(data, max_pixels)
    found = [
        code.text
        for code in zxingcpp.read_barcodes(picture, formats=_QR)
        if code.valid and code.text
    ]
    if not found:
        raise NoQrCode(
            Text(
                "사진에서 읽을 수 있는 QR 코드를 찾지 못했습니다.",
                "There is no readable QR code in the picture.",
            ),
            Text(
                "QR 코드가 화면에 가득 차게, 흔들리지 않게, 밝은 곳에서 다시 찍어 주세요.",
                "Take the picture again in good light, holding still, "
                "with the code filling the frame.",
            ),
        )
    return found


def _open(data: bytes, max_pixels: int) -> Image.Image:
    try:
        with warnings.catch_warnings():
            # our own limit is checked below, before any pixel is decoded
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            picture = Image.open(io.BytesIO(data), formats=_FORMATS)
        if picture.width * picture.height > max_pixels:
            raise PictureUnreadable(
                Text("사진이 너무 큽니다.", "The picture has too many pixels."),
                Text(
                    "QR 코드만 나오게 잘라서 보내 주세요.",
                    "Crop it so that only the QR code is in it.",
                ),
                {"limit": max_pixels, "width": picture.width, "height": picture.height},
            )
        if picture.format == "JPEG":
            picture.draft("L", (_LONGEST_SIDE, _LONGEST_SIDE))
        upright = ImageOps.exif_transpose(_flat(picture))
        upright.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
    except PictureUnreadable:
        raise
    except (
        UnidentifiedImageError,
        Image.DecompressionBombError,
        OSError,
        ValueError,
        SyntaxError,
        EOFError,
        KeyError,
        IndexError,
        TypeError,
        MemoryError,
        OverflowError,
    ) as error:
        raise PictureUnreadable(
            Text(
                "사진이 손상되었거나 지원하지 않는 형식입니다.",
                "The picture is damaged or of a kind we do not read.",
            ),
            Text(
                "PNG, JPEG, WebP 사진을 보내 주세요.",
                "Send a PNG, JPEG or WebP picture.",
            ),
        ) from error
    return upright


def _flat(picture: Image.Image) -> Image.Image:
    """Greys, with anything transparent on white: a black code on nothing would be all black."""
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        coloured = picture.convert("RGBA")
        white = Image.new("RGBA", coloured.size, "white")
        white.alpha_composite(coloured)
        return white.convert("L")
    picture.load()
    return picture.convert("L")
