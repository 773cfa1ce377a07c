"""Embedded ICC colour profiles: pixels are converted to sRGB, which the network is trained on.

Imports no NumPy: `python -m api` must limit its threads first.
"""

import io
from functools import lru_cache
from itertools import product
from typing import NamedTuple, cast

from PIL import Image, ImageChops, ImageCms

# Profiles with tables, such as those of printers, have up to 3 MB.
MAX_PROFILE_BYTES = 4 * 2**20
# Out of 255. Variants of sRGB differ from one another by this much, which nobody sees.
SAME_WITHIN = 2
CACHED_PROFILES = 8
_MODES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}
_GREY_MODES = ("1", "L", "LA", "I", "I;16", "I;16L", "I;16B")
_SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


class Conversion(NamedTuple):
    """Converts images in `mode`, which is RGB, L or CMYK, to sRGB. Threads may share it."""

    mode: str
    transform: ImageCms.ImageCmsTransform

    def apply(self, image: Image.Image) -> Image.Image:
        converted = Image.new("RGB", image.size)
        self.transform.apply(image, converted)
        return converted


def conversion_of(image: Image.Image) -> Conversion | None:
    """The conversion that the embedded profile of `image` asks for.

    None without a profile and for that of sRGB; also for one that is broken or does not fit the
    image's mode, which viewers ignore as well.
    """
    profile = image.info.get("icc_profile")
    if not profile or len(profile) > MAX_PROFILE_BYTES:
        return None
    conversion = _conversion(bytes(profile))
    return conversion if conversion and _fits(conversion.mode, image.mode) else None


def _fits(profile_mode: str, mode: str) -> bool:
    if "CMYK" in (profile_mode, mode):
        return profile_mode == mode
    # Greyscale images with an RGB profile are common.
    return profile_mode == "RGB" or mode in _GREY_MODES


@lru_cache(CACHED_PROFILES)
def _conversion(profile: bytes) -> Conversion | None:
    """None if the profile is broken, or is sRGB."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        mode = _MODES[source.profile.xcolor_space.strip()]
        transform = ImageCms.buildTransform(
            source,
            _SRGB,
            mode,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except Exception:  # Pillow raises all kinds of errors for a broken one.
        return None
    conversion = Conversion(mode, transform)
    return None if _changes_nothing(conversion) else conversion


def _changes_nothing(conversion: Conversion) -> bool:
    """Whether colours from the whole space stay the same."""
    if conversion.mode == "CMYK":
        return False
    grid = bytes(value for colour in product(range(0, 256, 15), repeat=3) for value in colour)
    colours = Image.frombytes("RGB", (len(grid) // 3, 1), grid).convert(conversion.mode)
    change = ImageChops.difference(conversion.apply(colours), colours.convert("RGB"))
    return max(cast("tuple[int, int]", band.getextrema())[1] for band in change.split()) <= (
        SAME_WITHIN
    )
