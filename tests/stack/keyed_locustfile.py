"""The users of the project's locustfile, with a key."""

import os

from locustfile import Grader


class KeyedGrader(Grader):
    def on_start(self) -> None:
        self.client.headers["Authorization"] = f"Bearer {os.environ['RIPELINE_KEY']}"
