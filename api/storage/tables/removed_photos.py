"""The table of training photos that were removed and can be restored for some days.

They are moved here, out of the tables that everything else reads, so no count, list, export or run
can include one by mistake.
"""

from datetime import datetime
from typing import Any, Literal

from sqlalchemy import JSON, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from api.storage.db import Base, UtcDateTime, now

RemovedKind = Literal["image", "boxed"]


class RemovedPhotoRow(Base):
    """One removed photo, under its old id.

    `kind`: an image, or a boxed photo, which has no class. `contents`: the other columns of its row
    (`row`), its boxes (`boxes`), and the predictions whose feedback it was made from
    (`predictions`). The other columns are as in `ImageRow`: until the photo is deleted, its source
    group keeps its name and split.
    """

    __tablename__ = "removed_photos"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[RemovedKind] = mapped_column(String(10))
    filename: Mapped[str] = mapped_column(String(255))
    class_name: Mapped[str | None] = mapped_column(String(80))
    photograph: Mapped[str] = mapped_column(String(200), index=True)
    split: Mapped[str] = mapped_column(String(10))
    blob: Mapped[str] = mapped_column(String(200))
    # Deferred: as in `ImageRow`.
    thumbnail: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    contents: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    removed_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now, index=True)
