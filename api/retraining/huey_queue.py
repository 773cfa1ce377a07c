"""The queue in huey: on SQLite or PostgreSQL, as the catalog is. Imported when it is first used."""

import json
from typing import Any

from huey import Huey, PostgresHuey, SqliteHuey
from huey.registry import Message
from huey.serializer import Serializer

from api.settings import Settings
from api.storage.db import normalised

NAME = "ripeline"
QUEUE = "queue.db"


class PlainMessages(Serializer):  # type: ignore[misc]  # huey has no types.
    """Messages as JSON: huey's pickle could run code of whoever writes to the queue."""

    def _serialize(self, data: Any) -> bytes:
        return json.dumps(data).encode()

    def _deserialize(self, data: bytes) -> Any:
        return Message(*json.loads(data))


def huey_queue(settings: Settings) -> Huey:
    common = {"results": False, "serializer": PlainMessages()}
    address = normalised(settings.database)
    if address.startswith("sqlite"):
        settings.state_dir.mkdir(parents=True, exist_ok=True)
        return SqliteHuey(NAME, filename=str(settings.state_dir / QUEUE), **common)
    dsn = address.replace("postgresql+psycopg://", "postgresql://", 1)
    # Looked into like the other: to be woken, each thread would keep a connection that none closes.
    return PostgresHuey(NAME, dsn=dsn, blocking=False, **common)
