"""The users of the project's locustfile that change nothing, with a key."""

import os

import locustfile

KEY = {"Authorization": f"Bearer {os.environ['RIPELINE_KEY']}"}


class Predict(locustfile.Predict):
    default_headers = KEY


class ModelInfo(locustfile.ModelInfo):
    default_headers = KEY
