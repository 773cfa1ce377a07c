"""API schemas of the boxed photos."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from api.catalog import box_frames
from api.catalog.boxed_photos import Annotation, BoxedOrigin
from api.catalog.boxed_repository import BoxedPhoto
from api.catalog.class_names import ClassNames
from api.core import boxes as core
from api.core.labels import CLASS_NAME_PATTERN, NewClass
from api.core.splits import Split

# No picture has longer sides.
MAX_SIDE = 1_000_000
Edge = Annotated[FiniteFloat, Field(ge=-MAX_SIDE, le=MAX_SIDE)]
ClassOfFruit = Annotated[
    str, Field(max_length=200, json_schema_extra={"pattern": CLASS_NAME_PATTERN})
]
Side = Annotated[int, Field(ge=1, le=MAX_SIDE)]


class FruitBox(BaseModel):
    """A bounding box in pixels of the upright photo; x points right, y points down."""

    model_config = ConfigDict(strict=True)

    x_min: Edge = Field(description="Left edge.")
    y_min: Edge = Field(description="Upper edge.")
    x_max: Edge = Field(description="Right edge.")
    y_max: Edge = Field(description="Lower edge.")


class MarkedFruit(BaseModel):
    """A bounding box around one fruit, and its class."""

    model_config = ConfigDict(extra="forbid", strict=True)

    box: FruitBox
    class_name: ClassOfFruit | None = Field(
        default=None,
        description="Class of the fruit, as in feedback; null if only its position is known.",
    )


class DrawnOn(BaseModel):
    """Upright size of the picture on which the boxes were drawn, in pixels; the same as `image` in
    a response of `POST /predict`.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    width: Side
    height: Side


class MarkedFruits(BaseModel):
    """All bounding boxes of one photo."""

    model_config = ConfigDict(extra="forbid", strict=True)

    boxes: list[MarkedFruit] = Field(max_length=box_frames.MAX_BOXES)
    complete: bool = Field(default=True, description="Whether every fruit in the photo has a box.")
    image: DrawnOn | None = Field(
        default=None,
        description="Required if the boxes were drawn on a picture of another size than the "
        "stored photo, such as the original file.",
    )
    new_class: NewClass = False

    def annotation(self, classes: ClassNames) -> Annotation:
        """Raises what `ClassNames.accept` raises."""
        fruits = [
            box_frames.LabelledBox(
                core.Box(**dict(fruit.box)),
                None if fruit.class_name is None else classes.accept(fruit.class_name),
            )
            for fruit in self.boxes
        ]
        frame = box_frames.Size(self.image.width, self.image.height) if self.image else None
        return Annotation(fruits, self.complete, frame)


class BoxedPhotoAnswer(BaseModel):
    """A photo with bounding boxes around its fruits, in pixels of the stored photo."""

    id: str
    photograph: str = Field(description="ID of the group of files that show the same photo.")
    split: Split
    origin: BoxedOrigin = Field(
        description="upload: uploaded with its boxes; feedback: photo of a prediction."
    )
    filename: str = Field(description="Name of the file without folders, at most 255 characters.")
    width: int = Field(description="Width of the stored photo, in pixels.")
    height: int = Field(description="Height of the stored photo, in pixels.")
    bytes: int = Field(description="Size of the stored file, without metadata, in bytes.")
    sha256: str = Field(description="SHA-256 of the file as uploaded.")
    complete: bool = Field(description="Whether every fruit in the photo has a box.")
    prediction_id: str | None = Field(
        description="ID of the prediction that the photo comes from; null if it was uploaded."
    )
    created_at: datetime = Field(description="When the photo was added, in UTC.")
    boxes: list[MarkedFruit]

    @classmethod
    def of(cls, photo: BoxedPhoto) -> Self:
        names = cls.model_fields.keys() - {"boxes"}
        values = {name: getattr(photo.row, name) for name in names}
        return cls(**values, boxes=marked(photo))


class BoxedPhotoPage(BaseModel):
    total: int
    offset: int
    limit: int
    boxed_photos: list[BoxedPhotoAnswer]


def marked(photo: BoxedPhoto) -> list[MarkedFruit]:
    return [
        MarkedFruit(box=FruitBox(**box._asdict()), class_name=class_name)
        for box, class_name in photo.boxes
    ]
