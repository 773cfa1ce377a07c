"""How bright, vivid and of which hue the classes are, and how large the pictures."""

from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from api.core.formatting import number, share, words
from api.core.labels import read_label
from api.insights.current_examples import Examples
from api.insights.schemas import Appearance, ClassAppearance, Quantiles, Size, Sizes

PERCENTS = (5, 25, 50, 75, 95)
# Sizes within a tenth of each other are drawn as one.
STEP = np.log(1.1)
# Told apart in so many pairs by light alone, fresh and rotten differ in it clearly.
CLEAR = 0.8
UNMEASURED = (
    "Of {count} it is not known: their package was made before this was measured. "
    "`python -m api.commands.training measure <folder>` measures it again on its photographs."
)


def appearance(examples: Examples) -> Appearance:
    known = np.isfinite(examples.looks[:, 0])
    by_class = []
    for name in np.unique(examples.class_names[known]).tolist():
        bright, vivid, hue = examples.looks[known & (examples.class_names == name), :3].T
        by_class.append(
            ClassAppearance(
                class_name=name,
                examples=len(bright),
                brightness=_quantiles(bright),
                saturation=_quantiles(vivid),
                hue=_quantiles(unwrapped(hue)),
            )
        )
    missing = int((~known).sum())
    return Appearance(
        measured=int(known.sum()),
        not_measured=missing,
        by_class=by_class,
        story=" ".join(filter(None, [_light_story(examples, known), _unmeasured(missing)])),
    )


def sizes(examples: Examples, input_size: int) -> Sizes:
    known = np.isfinite(examples.looks[:, 3])
    wide, high = examples.looks[known, 3:].T
    smaller = int((np.minimum(wide, high) < input_size).sum())
    missing = int((~known).sum())
    return Sizes(
        measured=len(wide),
        not_measured=missing,
        width=_quantiles(wide) if len(wide) else None,
        height=_quantiles(high) if len(wide) else None,
        input_size=input_size,
        smaller=smaller,
        sizes=_cells(wide, high),
        story=" ".join(
            filter(None, [_size_story(wide, high, smaller, input_size), _unmeasured(missing)])
        ),
    )


def unwrapped(hue: NDArray[np.float32]) -> NDArray[np.float32]:
    """Angles [n] in degrees, moved by full turns to within 180 of their mean direction."""
    radians = np.radians(hue)
    middle = np.degrees(np.arctan2(np.sin(radians).mean(), np.cos(radians).mean()))
    near: NDArray[np.float32] = middle + (hue - middle + 180) % 360 - 180
    return near


def probability_of_superiority(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    """In how many pairs of one of `first` [n] and one of `second` [m] the first is larger: 0 to 1.

    Equal ones count half.
    """
    ordered = np.sort(second)
    below = np.searchsorted(ordered, first, "left")
    up_to = np.searchsorted(ordered, first, "right")
    return float((below + up_to).mean() / 2 / len(ordered))


def _light_story(examples: Examples, known: NDArray[np.bool_]) -> str:
    """How far light and colour alone tell fresh from rotten."""
    of_fruit: dict[str, dict[str, NDArray[np.float32]]] = {}
    for name in np.unique(examples.class_names[known]).tolist():
        label = read_label(name)
        if label.freshness:
            rows = examples.looks[known & (examples.class_names == name)]
            of_fruit.setdefault(label.fruit, {})[label.freshness] = rows
    said = []
    for fruit, sides in of_fruit.items():
        if len(sides) == 2:
            brighter = probability_of_superiority(sides["fresh"][:, 0], sides["rotten"][:, 0])
            said.append((max(brighter, 1 - brighter), brighter, fruit))
    if not said:
        return _range_story(examples, known)
    parts = [
        f"{fruit}: the {'fresh' if brighter >= 0.5 else 'rotten'} one is the brighter in "
        f"{share(clear)} of pairs"
        for clear, brighter, fruit in sorted(said, reverse=True)
    ]
    start = f"Of a fresh and a rotten fruit, {'; '.join(parts)}."
    if max(said)[0] >= CLEAR:
        return (
            f"{start} So brightness alone tells much, and a grader may lean on it: photograph "
            "fresh and rotten fruit in the same light."
        )
    return f"{start} So brightness alone does not give the answer away."


def _range_story(examples: Examples, known: NDArray[np.bool_]) -> str:
    medians = {
        name: float(np.median(examples.looks[known & (examples.class_names == name), 0]))
        for name in np.unique(examples.class_names[known]).tolist()
    }
    if len(medians) < 2:
        return ""
    bright, dark = max(medians, key=medians.__getitem__), min(medians, key=medians.__getitem__)
    return (
        f"The brightest class is {words(bright)}, the darkest {words(dark)}: photograph all of "
        "them in the same light, or a grader may learn the light."
    )


def _size_story(
    wide: NDArray[np.float32], high: NDArray[np.float32], smaller: int, input_size: int
) -> str:
    if not len(wide):
        return ""
    middle = f"The middle picture has {np.median(wide * high) / 1e6:.2g} megapixels"
    seen = f"The network looks at {input_size} x {input_size} pixels"
    if smaller:
        return (
            f"{middle}. {seen}: {number(smaller, 'picture')} ({share(smaller / len(wide))}) must "
            "be enlarged for it, which adds no detail."
        )
    return f"{middle}. {seen}, and every picture has at least as many."


def _unmeasured(count: int) -> str:
    return UNMEASURED.format(count=number(count, "example")) if count else ""


def _cells(wide: NDArray[np.float32], high: NDArray[np.float32]) -> list[Size]:
    """The sizes on a grid of tenths; each cell by the middle of what lies in it."""
    cells = np.rint(np.log(np.stack([wide, high], axis=1)) / STEP).astype(int)
    order = np.lexsort(cells.T)
    groups = groupby(order.tolist(), key=lambda k: tuple(cells[k]))
    found = []
    for _, group in groups:
        rows = list(group)
        width, height = int(np.median(wide[rows])), int(np.median(high[rows]))
        found.append(Size(width=width, height=height, examples=len(rows)))
    return found


def _quantiles(values: NDArray[np.float32]) -> Quantiles:
    low, first, middle, third, top = np.percentile(values, PERCENTS).tolist()
    return Quantiles(p5=low, p25=first, p50=middle, p75=third, p95=top)
