"""Cut-out fruits: where a photo's background ends, and what to paste on others."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter
from scipy import ndimage
from scipy.spatial import ConvexHull

from api.core.boxes import overlaps
from api.core.imaging.resize import to_input
from api.training.background_augment import CANVAS, PAPER_MAX_CHROMA, PAPER_MIN_VALUE, WHITE
from api.training.detection.targets import as_boxes
from api.training.frames import Frame

NONE = -1
# Brightest value in the corners of a rotated copy.
BLACK = 12
# Least share of the border that is background, around a fruit that stands alone, and at all.
ALONE, MIN_BACKGROUND = 0.95, 0.5
# Shares of its box that a cut-out fills (one much fuller than a disc still has its background), and
# its shortest side as a share of the canvas.
MIN_FILL, MAX_FILL, MIN_SIDE = 0.25, 0.93, 0.15
# Share of its convex hull that round fruit fills, without stem and leaves. White mould is easily
# mistaken for background, which leaves a gap like a bite.
MIN_SOLIDITY, STEM = 0.93, 0.06
# Ellipses stand in for the outline of fruit about as wide as it is high, but not for bananas.
MIN_ROUND, MAX_ROUND = 0.85, 1.18
NOT_ROUND = ("banana",)


@dataclass(frozen=True)
class Cutout:
    """A thing to paste: RGBA, the index of its fruit or NONE, and whether it is rotten."""

    image: Image.Image
    kind: int
    rotten: bool | None = None


def outside_mask(pixels: NDArray[np.uint8]) -> NDArray[np.bool_] | None:
    """White, paper, and the black corners of a turned copy, connected to the border: bool
    [height, width]; None where they are less than half of the border."""
    black = _at_border(pixels.max(axis=2) <= BLACK)
    if _border(black).mean() > 1 - ALONE:
        # The edge of the corners is neither black nor white.
        black = ndimage.binary_dilation(black, iterations=3)
    else:
        black[:] = False
    darkest, brightest = pixels.min(axis=2), pixels.max(axis=2)
    white = darkest >= WHITE
    paper = (brightest - darkest < PAPER_MAX_CHROMA) & (darkest >= PAPER_MIN_VALUE)
    masks = [_at_border(black | ground) for ground in (white, paper)]
    shares = [_border(mask).mean() for mask in masks]
    for mask, share in zip(masks, shares, strict=True):
        if share >= ALONE:
            return mask
    return masks[1] if shares[1] >= MIN_BACKGROUND else None


def cut_out(
    image: Image.Image, kind: int, rotten: bool | None, *, is_round: bool = False
) -> Cutout | None:
    """The thing that stands alone on a plain background; None where there is none, or where what is
    left of an `is_round` fruit is not round."""
    pixels = to_input(image, CANVAS)
    outside = outside_mask(pixels)
    if outside is None or _border(outside).mean() < ALONE:
        return None
    inside = _largest(ndimage.binary_erosion(~outside))
    soft = ndimage.uniform_filter(inside.astype(np.float32), 3)
    alpha = Image.fromarray((soft * 255).astype(np.uint8))
    box = alpha.getbbox()
    if box is None or min(box[2] - box[0], box[3] - box[1]) < MIN_SIDE * CANVAS:
        return None
    thing = Image.fromarray(pixels).convert("RGBA")
    thing.putalpha(alpha)
    thing = thing.crop(box)
    visible = np.asarray(thing.getchannel("A")) > 127
    if not MIN_FILL < visible.mean() < MAX_FILL:
        return None
    if is_round and _solidity(visible) < MIN_SOLIDITY:
        return None
    return Cutout(thing, kind, rotten)


def extent(image: Image.Image) -> list[float] | None:
    """The box around all that is not a plain background, in shares of the sides; None where there
    is no such background."""
    outside = outside_mask(to_input(image, CANVAS))
    if outside is None:
        return None
    places = ndimage.find_objects(_largest(ndimage.binary_opening(~outside)).astype(np.uint8))
    if not places or places[0] is None:
        return None
    rows, columns = places[0]
    corners = (columns.start, rows.start, columns.stop, rows.stop)
    return [float(value) / CANVAS for value in corners]


def round_cutouts(photo: Image.Image, frame: Frame, fruits: Sequence[str]) -> list[Cutout]:
    """The ellipses inside the boxes of round fruit that stands alone in its frame, whose decoded
    picture is `photo`."""
    corners = as_boxes([each.box for each in frame.boxes])
    crowded = overlaps(corners, corners) - np.eye(len(corners))
    cutouts = []
    for k, (box, fruit, level) in enumerate(frame.boxes):
        at_edge = min(box.x_min, box.y_min) <= 3 or box.x_max > photo.width - 4
        at_edge |= box.y_max > photo.height - 4
        shape = (box.x_max - box.x_min) / (box.y_max - box.y_min)
        is_round = MIN_ROUND < shape < MAX_ROUND and fruit not in NOT_ROUND
        known = fruit in fruits and level is not None
        if at_edge or not is_round or not known or crowded[k].max() > 0.02:
            continue
        image = photo.crop(box).convert("RGBA")
        image.thumbnail((CANVAS, CANVAS))
        mask = Image.new("L", image.size, 0)
        ImageDraw.Draw(mask).ellipse((1, 1, image.width - 2, image.height - 2), fill=255)
        image.putalpha(mask.filter(ImageFilter.BoxBlur(1.5)))
        cutouts.append(Cutout(image, fruits.index(str(fruit)), level == "rotten"))
    return cutouts


def _solidity(mask: NDArray[np.bool_]) -> float:
    """The share of its convex hull that a mask fills, after an opening that removes thin parts."""
    radius = round(STEM * max(mask.shape))
    y, x = np.ogrid[-radius : radius + 1, -radius : radius + 1]
    body = ndimage.binary_opening(np.pad(mask, radius), x**2 + y**2 <= radius**2)
    if not body.any():
        return 0.0
    # All four corners of each pixel, so that a full rectangle fills its hull.
    pixels = np.argwhere(body)
    corners = np.concatenate([pixels + corner for corner in ((0, 0), (0, 1), (1, 0), (1, 1))])
    return float(body.sum() / ConvexHull(corners).volume)


def _at_border(ground: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The parts of `ground` that touch the border."""
    regions, _ = ndimage.label(ground)
    touching = np.unique(_border(regions))
    connected: NDArray[np.bool_] = np.isin(regions, touching[touching > 0])
    return connected


def _largest(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The largest of the separate parts of a mask."""
    regions, _ = ndimage.label(mask)
    sizes = np.bincount(regions.ravel())
    sizes[0] = 0
    largest: NDArray[np.bool_] = (regions == sizes.argmax()) & mask
    return largest


def _border(pixels: NDArray[Any]) -> NDArray[np.int32]:
    """The outermost pixels, [n]."""
    edges = (pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1])
    return np.concatenate(edges).astype(np.int32)
