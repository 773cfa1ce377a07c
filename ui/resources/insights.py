"""What the training data looks like, each part with its story in plain words."""

from typing import Literal

from answers import Answer, Freshness
from client import ApiClient
from photos import Photo

from resources.dataset import Split

Source = Literal["shipped", "boxed", "upload", "feedback", "review"]


class Count(Answer):
    class_name: str
    split: Split
    origin: Source
    examples: int


class Told(Answer):
    """A part of which only the story is used."""

    story: str


class FruitFreshness(Answer):
    fruit: str
    fresh: int
    rotten: int


class FreshAgainstRotten(Answer):
    fresh: int
    rotten: int
    other: int
    by_fruit: list[FruitFreshness]
    story: str


class Quantiles(Answer):
    """The 5th, 25th, 50th, 75th and 95th percentile."""

    p5: float
    p25: float
    p50: float
    p75: float
    p95: float


class ClassAppearance(Answer):
    class_name: str
    examples: int
    brightness: Quantiles
    saturation: Quantiles
    hue: Quantiles


class Appearance(Answer):
    measured: int
    by_class: list[ClassAppearance]
    story: str


class Size(Answer):
    width: int
    height: int
    examples: int


class Sizes(Answer):
    measured: int
    input_size: int
    sizes: list[Size]
    story: str


class CopyCount(Answer):
    copies: int
    photographs: int


class Leak(Answer):
    """What to expect had files been dealt at random; `share` of the test photographs leak."""

    share: float


class Copies(Answer):
    photographs: int
    files: int
    in_two_splits: int
    histogram: list[CopyCount]
    leak: Leak | None = None
    story: str


class Insights(Answer):
    """Today's data: what the serving version learned from, and the catalog."""

    model_version: str
    examples: int
    from_catalog: int
    counts: list[Count]
    balance: Told | None = None
    freshness: FreshAgainstRotten | None = None
    appearance: Appearance
    sizes: Sizes
    copies: Copies


class Point(Answer):
    x: float
    y: float
    class_name: str
    split: Split
    origin: Source
    photograph: str
    image_id: str | None = None


class EmbeddingMap(Answer):
    model_version: str
    total: int
    points: list[Point]
    story: str


class View(Answer):
    """One look at a photograph: a JPEG data URI and its grade."""

    picture: str
    predicted_class: str
    confidence: float
    freshness_score: float | None = None


class Augmentation(Answer):
    model_version: str
    class_name: str | None = None
    freshness: Freshness | None = None
    original: View
    views: list[View]
    story: str


def dataset(api: ApiClient) -> Insights:
    return api.call(Insights, "GET", "/insights/dataset")


def embedding_map(api: ApiClient, limit: int) -> EmbeddingMap:
    return api.call(EmbeddingMap, "GET", "/insights/map", params={"limit": limit})


def augmentation_of_image(api: ApiClient, image_id: str, seed: int) -> Augmentation:
    params = {"image_id": image_id, "seed": seed}
    return api.call(Augmentation, "GET", "/insights/augmentation", params=params)


def augmentation_of_photo(api: ApiClient, photo: Photo, seed: int) -> Augmentation:
    return api.call(
        Augmentation,
        "POST",
        "/insights/augmentation",
        params={"seed": seed},
        files={"file": (photo.name, photo.data)},
    )
