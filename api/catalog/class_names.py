"""The class names that a request may use: known ones, and new ones that resemble no known one."""

from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property

from sqlalchemy import select, union
from sqlalchemy.orm import Session

from api.core.labels import accepted_class_name, accepted_new_class
from api.core.layout import class_folder
from api.model.training_index import TrainingIndex
from api.storage.db import Database
from api.storage.tables.photos import BoxRow, ImageRow
from api.storage.tables.predictions import FeedbackRow


def stored_classes(session: Session) -> set[str]:
    """The classes of training images, of boxes and of people's feedback."""
    columns = (ImageRow.class_name, FeedbackRow.label, BoxRow.class_name)
    return set(filter(None, session.scalars(union(*(select(column) for column in columns)))))


@dataclass(frozen=True)
class ClassNames:
    """Accepts the class names of one request.

    `training_index`: of the serving model. `new_class`: whether new classes are accepted even if
    their names resemble known ones.
    """

    database: Database
    training_index: TrainingIndex
    new_class: bool = False
    _new: set[str] = field(default_factory=set)

    def accept(self, text: str) -> str:
        """The normalised name, which counts as known from then on.

        Raises what `accepted_new_class` raises.
        """
        name = accepted_class_name(text)
        if not (self.new_class or name in self._new or name in self._model_classes):
            accepted_new_class(name, self._known | self._new)
        self._new.add(name)
        return name

    def of_folders(self, folders: Sequence[str]) -> str:
        """The name of the nested folder that names a class, or empty.

        Raises SeveralClassFoldersError.
        """
        if len(folders) < 2:
            return "".join(folders)
        return class_folder(folders, self._known | self._new)

    @cached_property
    def _model_classes(self) -> Set[str]:
        return set(self.training_index.class_names.tolist())

    @cached_property
    def _known(self) -> Set[str]:
        # Most requests name a class of the model, and need no query.
        with self.database.reading() as session:
            return self._model_classes | stored_classes(session)
