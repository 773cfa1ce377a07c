"""The tables of the catalog, in one module for each subject.

Times are timezone-aware UTC; ids are hexadecimal UUIDs. A change to a table needs a migration in
`migrations/versions`.
"""

# All of them, since the tables of one module refer to those of others by name.
from api.storage.db import Base
from api.storage.tables import (  # noqa: F401
    inspections,
    models,
    photos,
    predictions,
    shadows,
    triggers,
)

# Imported from here, not from db, so that every table is registered.
METADATA = Base.metadata
