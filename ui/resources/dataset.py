"""The training images: giving, listing, relabelling and removing them."""

from collections.abc import Sequence
from typing import Literal

from answers import Answer
from client import ApiClient
from photos import Photo

Split = Literal["train", "validation", "test"]
Origin = Literal["upload", "feedback", "review"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")
ORIGINS: tuple[Origin, ...] = ("upload", "feedback", "review")


class Stored(Answer):
    filename: str
    class_name: str
    split: Split


class Duplicate(Answer):
    """A file that was known already. `class_name` is the class that it has."""

    filename: str
    kind: Literal["exact", "near"]
    class_name: str
    message: str


class Refusal(Answer):
    filename: str
    detail: str


class UploadReport(Answer):
    """What became of each file; one in none of the lists was passed over."""

    uploaded_files: list[Stored]
    duplicates: list[Duplicate]
    errors: list[Refusal]


class Photographs(Answer):
    """What the serving model learned from and the catalog, each photograph once."""

    total: int
    by_class: dict[str, dict[str, int]]


class Summary(Answer):
    """How much there is: `images` are files, of which the model has not learned `new_images`."""

    images: int
    by_class: dict[str, int]
    by_split: dict[str, int]
    by_origin: dict[str, int]
    new_images: int
    photographs: Photographs

    @property
    def classes(self) -> list[str]:
        """Every class that there is, in the catalog or in the model."""
        return sorted({*self.by_class, *self.photographs.by_class})


class Image(Answer):
    id: str
    class_name: str
    split: Split
    origin: Origin
    filename: str
    width: int
    height: int


class ImagePage(Answer):
    total: int
    images: list[Image]


class Relabelled(Answer):
    relabelled: int
    class_name: str


class Removed(Answer):
    removed: int


def upload(api: ApiClient, photos: Sequence[Photo], class_name: str | None) -> UploadReport:
    """Give photographs to learn from, or zips of them; without a class, folders name it."""
    return api.call(
        UploadReport,
        "POST",
        "/upload-training-data",
        files=[("files", (photo.name, photo.data)) for photo in photos],
        data={"class_name": class_name} if class_name else None,
    )


def summary(api: ApiClient) -> Summary:
    return api.call(Summary, "GET", "/dataset/summary")


def images(
    api: ApiClient,
    *,
    class_name: str | None,
    split: str | None,
    origin: str | None,
    offset: int,
    limit: int,
) -> ImagePage:
    """A page of the catalog, newest first; None takes all."""
    chosen = {"class_name": class_name, "split": split, "origin": origin}
    params = {name: value for name, value in chosen.items() if value is not None}
    return api.call(
        ImagePage, "GET", "/dataset/images", params=params | {"offset": offset, "limit": limit}
    )


def photograph_path(image_id: str) -> str:
    """Where the picture of a training image lies."""
    return f"/dataset/images/{image_id}/photograph"


def relabel(api: ApiClient, ids: Sequence[str], class_name: str) -> Relabelled:
    """Give images another class. At most 1000 at once."""
    return api.call(
        Relabelled,
        "POST",
        "/dataset/images/relabel",
        json={"ids": list(ids), "class_name": class_name},
    )


def remove(api: ApiClient, ids: Sequence[str]) -> Removed:
    """Remove images for good. At most 1000 at once."""
    return api.call(Removed, "POST", "/dataset/images/remove", json={"ids": list(ids)})
