"""Thumbnails of images: a square of 144 pixels at most, cut from the middle (Learn: "Use image column data").

Images come from outside, so this takes only the five formats of the service, looks at the size before it reads the
pixels, and answers anything that is no such image with None.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from io import BytesIO
from typing import Final

from PIL import Image

THUMBNAIL_TYPE: Final = "image/jpeg"

_ENDINGS: Final = {"GIF": "gif", "JPEG": "jpg", "TIFF": "tiff", "BMP": "bmp", "PNG": "png"}
"""The formats that an image column takes, and how files of them end."""

_SIDE: Final = 144
_MOST_PIXELS: Final = 50_000_000
"""More than what cameras take; reading one of so many needs up to 400 MB for a moment."""

_BLENDED: Final = frozenset({"RGB", "RGBA", "L", "LA", "CMYK"})
"""Modes of pixels that can be blended with one another as they are; those of a palette cannot."""

_QUALITY: Final = 90
_NOT_AN_IMAGE: Final = (
    *(OSError, SyntaxError, ValueError, TypeError, LookupError, EOFError, AttributeError, RuntimeError),
    *(ArithmeticError, MemoryError, struct.error, zlib.error, Image.DecompressionBombError),
    Warning,
)
"""What Pillow raises over damaged and hostile files, depending on the format (warnings where they are errors)."""


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A thumbnail as JPEG, and how files of the format that it is made from end."""

    data: bytes
    ending: str


def thumbnail(data: bytes) -> Thumbnail | None:
    """Return the thumbnail of an image, None when the bytes are no image of the five formats.

    One larger than 144 pixels at either side becomes 144 by 144, a smaller one the square of its shorter side.
    """
    try:
        with Image.open(BytesIO(data), formats=tuple(_ENDINGS)) as image:
            if not 0 < image.width * image.height <= _MOST_PIXELS:
                return None
            return Thumbnail(_written(_squared(image)), _ENDINGS[str(image.format)])
    except _NOT_AN_IMAGE:
        return None


def _squared(image: Image.Image) -> Image.Image:
    side = _SIDE if max(image.size) > _SIDE else min(image.size)
    # A JPEG can be read at a fraction of its size, which takes a fraction of the time and memory.
    image.draft("RGB", (2 * _SIDE, 2 * _SIDE))
    shorter = min(image.size)
    left, top = (image.width - shorter) / 2, (image.height - shorter) / 2
    box = (left, top, left + shorter, top + shorter)
    return _opaque(_blendable(image).resize((side, side), Image.Resampling.LANCZOS, box=box, reducing_gap=2.0))


def _blendable(image: Image.Image) -> Image.Image:
    if "transparency" in image.info:
        return image.convert("RGBA")
    if image.mode.startswith("I;16"):
        # A conversion would cut the values off instead of scaling them.
        return image.point(lambda value: value / 256).convert("L")
    return image if image.mode in _BLENDED else image.convert("RGB")


def _opaque(image: Image.Image) -> Image.Image:
    """Return an image without transparency: on white."""
    if "A" not in image.getbands():
        return image.convert("RGB")
    layer = image.convert("RGBA")
    ground = Image.new("RGB", layer.size, "white")
    ground.paste(layer, mask=layer.getchannel("A"))
    return ground


def _written(image: Image.Image) -> bytes:
    target = BytesIO()
    image.save(target, "JPEG", quality=_QUALITY)
    return target.getvalue()
