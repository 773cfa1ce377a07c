"""Brightness, colour and image size by class."""

import numpy as np
from numpy.typing import NDArray

from api.core.formatting import number, share, words
from api.core.labels import read_label
from api.insights.current_examples import Examples
from api.insights.schemas import Appearance, ClassAppearance, Quantiles, Size, Sizes

PERCENTILES = (5, 25, 50, 75, 95)
# Sizes within a tenth of each other are counted together.
LOG_BIN = np.log(1.1)
# From this probability of superiority on, brightness alone separates fresh from rotten.
CLEAR_SUPERIORITY = 0.8
UNMEASURED = (
    "For {count} it is not known: their package was made before this was measured. "
    "`python -m api.commands.training measure <folder>` measures it again on its photos."
)


def appearance(examples: Examples) -> Appearance:
    measured = np.isfinite(examples.appearance[:, 0])
    by_class = {
        name: examples.appearance[measured & (examples.class_names == name)]
        for name in np.unique(examples.class_names[measured]).tolist()
    }
    return Appearance(
        measured=int(measured.sum()),
        not_measured=int((~measured).sum()),
        by_class=[
            ClassAppearance(
                class_name=name,
                examples=len(rows),
                brightness=_quantiles(rows[:, 0]),
                saturation=_quantiles(rows[:, 1]),
                hue=_quantiles(unwrap_hue(rows[:, 2])),
            )
            for name, rows in by_class.items()
        ],
        story=_with_unmeasured(
            _light_story({name: rows[:, 0] for name, rows in by_class.items()}), measured
        ),
    )


def sizes(examples: Examples, input_size: int) -> Sizes:
    measured = np.isfinite(examples.appearance[:, 3])
    width, height = examples.appearance[measured, 3:].T
    smaller = int((np.minimum(width, height) < input_size).sum())
    return Sizes(
        measured=len(width),
        not_measured=int((~measured).sum()),
        width=_quantiles(width) if len(width) else None,
        height=_quantiles(height) if len(width) else None,
        input_size=input_size,
        smaller=smaller,
        sizes=_size_bins(width, height),
        story=_with_unmeasured(_size_story(width, height, smaller, input_size), measured),
    )


def unwrap_hue(hue: NDArray[np.float32]) -> NDArray[np.float32]:
    """Angles [n] in degrees, shifted by full turns to within 180 of their circular mean."""
    radians = np.radians(hue)
    mean = np.degrees(np.arctan2(np.sin(radians).mean(), np.cos(radians).mean()))
    unwrapped: NDArray[np.float32] = mean + (hue - mean + 180) % 360 - 180
    return unwrapped


def probability_of_superiority(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    """Probability that a value of `first` [n] exceeds one of `second` [m]; ties count half."""
    ordered = np.sort(second)
    below = np.searchsorted(ordered, first, "left")
    up_to = np.searchsorted(ordered, first, "right")
    return float((below + up_to).mean() / 2 / len(ordered))


def _light_story(brightness: dict[str, NDArray[np.float32]]) -> str:
    """How well brightness alone, given by class, separates fresh from rotten."""
    by_fruit: dict[str, dict[str, NDArray[np.float32]]] = {}
    for name, values in brightness.items():
        label = read_label(name)
        if label.freshness:
            by_fruit.setdefault(label.fruit, {})[label.freshness] = values
    separations = []
    for fruit, by_freshness in by_fruit.items():
        if len(by_freshness) == 2:
            brighter = probability_of_superiority(by_freshness["fresh"], by_freshness["rotten"])
            separations.append((max(brighter, 1 - brighter), brighter, fruit))
    if not separations:
        return _range_story(brightness)
    parts = [
        f"{fruit}: the {'fresh' if brighter >= 0.5 else 'rotten'} one is the brighter in "
        f"{share(clear)} of pairs"
        for clear, brighter, fruit in sorted(separations, reverse=True)
    ]
    start = f"Of a fresh and a rotten fruit, {'; '.join(parts)}."
    if max(separations)[0] >= CLEAR_SUPERIORITY:
        return (
            f"{start} So brightness alone tells much, and a grader may lean on it: photograph "
            "fresh and rotten fruit in the same light."
        )
    return f"{start} So brightness alone does not give the answer away."


def _range_story(brightness: dict[str, NDArray[np.float32]]) -> str:
    if len(brightness) < 2:
        return ""
    medians = {name: float(np.median(values)) for name, values in brightness.items()}
    bright, dark = max(medians, key=medians.__getitem__), min(medians, key=medians.__getitem__)
    return (
        f"The brightest class is {words(bright)}, the darkest {words(dark)}: photograph all of "
        "them in the same light, or a grader may learn the light."
    )


def _size_story(
    width: NDArray[np.float32], height: NDArray[np.float32], smaller: int, input_size: int
) -> str:
    if not len(width):
        return ""
    middle = f"The middle photo has {np.median(width * height) / 1e6:.2g} megapixels"
    seen = f"The network looks at {input_size} x {input_size} pixels"
    if smaller:
        return (
            f"{middle}. {seen}: {number(smaller, 'photo')} ({share(smaller / len(width))}) must "
            "be enlarged for it, which adds no detail."
        )
    return f"{middle}. {seen}, and every photo has at least as many."


def _with_unmeasured(story: str, measured: NDArray[np.bool_]) -> str:
    """`story`, then how many of the examples [n] are not `measured`."""
    missing = int((~measured).sum())
    unmeasured = UNMEASURED.format(count=number(missing, "example")) if missing else ""
    return f"{story} {unmeasured}".strip()


def _size_bins(width: NDArray[np.float32], height: NDArray[np.float32]) -> list[Size]:
    """Sizes in logarithmic bins, each with its median size, sorted by height."""
    bins = np.rint(np.log(np.stack([height, width], axis=1)) / LOG_BIN).astype(int)
    different, group = np.unique(bins, axis=0, return_inverse=True)
    return [
        Size(
            width=int(np.median(width[group == k])),
            height=int(np.median(height[group == k])),
            examples=int((group == k).sum()),
        )
        for k in range(len(different))
    ]


def _quantiles(values: NDArray[np.float32]) -> Quantiles:
    p5, p25, p50, p75, p95 = np.percentile(values, PERCENTILES).tolist()
    return Quantiles(p5=p5, p25=p25, p50=p50, p75=p75, p95=p95)
