"""A real server that speaks S3, in this process, and a bucket of its own for each test."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import s3fs
from moto.server import ThreadedMotoServer

from tests.processes import free_port


@contextmanager
def running_s3() -> Iterator[dict[str, str]]:
    """The server; gives the environment variables by which boto finds it."""
    port = free_port()
    server = ThreadedMotoServer("127.0.0.1", port, verbose=False)
    server.start()
    try:
        yield {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
    finally:
        server.stop()


def fresh_bucket() -> str:
    """The address of a new empty bucket on the server that the environment names."""
    name = f"test-{uuid4().hex}"
    s3fs.S3FileSystem().mkdir(name)
    return f"s3://{name}"
