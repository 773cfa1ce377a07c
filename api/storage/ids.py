"""Ids of rows and batches, and numbers to order rows by.

An id is the 32 lower-case hexadecimal digits of a UUID. API paths accept any text as an id, so an
impossible id gets the same 404 as a missing one. Rows are looked up with `by_id`, which never sends
such text to the database.
"""

import re
from typing import TypeVar
from uuid import NAMESPACE_OID, uuid4, uuid5

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from api.storage.db import Base
from api.storage.tables.models import ModelRow, RunRow

# For JSON schemas, whose patterns match anywhere in the text; hence the anchors.
ID_PATTERN = "^[0-9a-f]{32}$"
_ID = re.compile("[0-9a-f]{32}")
Row = TypeVar("Row", bound=Base)


def new_id() -> str:
    """A random id."""
    return uuid4().hex


def id_of(*parts: object) -> str:
    """The id that these parts always get."""
    return uuid5(NAMESPACE_OID, "/".join(map(str, parts))).hex


def is_id(text: object) -> bool:
    """Whether this can be an id."""
    return isinstance(text, str) and _ID.fullmatch(text) is not None


def by_id(session: Session, table: type[Row], row_id: str, *, lock: bool = False) -> Row | None:
    """The row of this id; None if there is none.

    With `lock`, it is read afresh and locked until the end of the transaction. Text that is not an
    id is not looked up: PostgreSQL refuses null characters.
    """
    if not is_id(row_id):
        return None
    return session.get(table, row_id, with_for_update=True if lock else None)


def next_number(session: Session, table: type[ModelRow] | type[RunRow]) -> int:
    """A number above that of every row. A clock may be ahead or be set back; this only grows.

    Rows from processes of an older version have no number (0) and get one here, below the new one.
    """
    highest = session.scalar(select(func.max(table.number))) or 0
    session.execute(update(table).where(table.number == 0).values(number=highest + 1))
    return highest + 2
