"""Prepares a picture of a paper or face for one company: cropped, blacked out, marked, bare."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from dsar.errors import NotSetUp, UsageProblem

MAX_PIXELS = 60_000_000
"""A larger picture is refused before it is decoded: it would fill the memory."""

Box = tuple[int, int, int, int]


@dataclass(frozen=True, kw_only=True)
class Preparation:
    """What to do with a picture.

    crop, black: left, top, right, bottom in per cent of width and height, 0 to 100.
    max_side: the longer side afterwards, in pixels. mark: the words of the watermark.
    """

    mark: str
    crop: Box | None = None
    black: tuple[Box, ...] = ()
    max_side: int = 1200


def watermark(company: str, purpose: str, on: date) -> str:
    """The words that make a copy useless for anyone else."""
    return f"ONLY FOR {company.upper()} · {purpose} · {on.isoformat()}"


def prepare(raw: bytes, wanted: Preparation) -> bytes:
    """Return a new JPEG made of pixels alone: no metadata, no layers, nothing under the black.

    Raises UsageProblem for a file that is no picture or too large, NotSetUp without Pillow.
    """
    image_module, draw_module = _pillow()
    image = _opened(image_module, raw)
    if wanted.crop is not None:
        image = image.crop(_pixels(wanted.crop, image.size))
    for box in wanted.black:
        corners = _pixels(box, image.size)
        draw_module.Draw(image).rectangle(corners, fill=(0, 0, 0))
    image.thumbnail((wanted.max_side, wanted.max_side))
    _mark(image_module, draw_module, image, wanted.mark)
    bare = image_module.new("RGB", image.size)
    bare.paste(image)  # a fresh picture carries neither EXIF nor any other chunk of the old one
    out = io.BytesIO()
    bare.save(out, "JPEG", quality=85)
    return out.getvalue()


def _pillow() -> tuple[Any, Any]:
    try:
        from PIL import Image, ImageDraw
    except ImportError:
        raise NotSetUp("Pictures need the extra `photos`.",
                       hint="pip install 'dsar-cli[photos]'") from None
    return Image, ImageDraw


def _opened(image_module: Any, raw: bytes) -> Any:
    from PIL import ImageOps

    try:
        image = image_module.open(io.BytesIO(raw))
        if image.width * image.height > MAX_PIXELS:
            raise UsageProblem(f"The picture has more than {MAX_PIXELS // 10**6} million pixels.")
        return ImageOps.exif_transpose(image).convert("RGB")
    except (OSError, SyntaxError, ValueError, image_module.DecompressionBombError):
        raise UsageProblem("The file is no picture that can be read.",
                           hint="Give a JPEG or PNG.") from None


def _pixels(box: Box, size: tuple[int, int]) -> Box:
    width, height = size
    left, top, right, bottom = box
    return (width * left // 100, height * top // 100,
            max(width * right // 100, 1), max(height * bottom // 100, 1))


def _mark(image_module: Any, draw_module: Any, image: Any, words: str) -> None:
    """Tile the words slanted over the whole picture, half transparent."""
    from PIL import ImageFont

    size = max(12, min(image.size) // 24)
    font = ImageFont.load_default(size)
    layer = image_module.new("RGBA", (image.width * 2, image.height * 2), (0, 0, 0, 0))
    pen = draw_module.Draw(layer)
    length = int(pen.textlength(words, font=font)) + size * 2
    for row, y in enumerate(range(0, layer.height, size * 4)):
        for x in range(-(row % 2) * length // 2, layer.width, length):
            pen.text((x, y), words, font=font, fill=(200, 0, 0, 110))
    slanted = layer.rotate(24)
    left, top = (slanted.width - image.width) // 2, (slanted.height - image.height) // 2
    image.paste(slanted.crop((left, top, left + image.width, top + image.height)), (0, 0),
                slanted.crop((left, top, left + image.width, top + image.height)))


def parse_box(text: str) -> Box:
    """Return the box written `LEFT,TOP,RIGHT,BOTTOM` in per cent. Raises UsageProblem."""
    parts: Sequence[str] = text.split(",")
    if len(parts) == 4 and all(p.strip().isdigit() and int(p) <= 100 for p in parts):
        left, top, right, bottom = (int(p) for p in parts)
        if left < right and top < bottom:
            return left, top, right, bottom
    raise UsageProblem(f"{text!r} is no box: LEFT,TOP,RIGHT,BOTTOM in per cent, such as 0,0,50,50.")
