"""Those who share an error each get one of their own."""

import errno
import traceback

import pytest

from api.core.errors import BodyTooLargeError, each_its_own


def raised(error: Exception) -> Exception:
    try:
        raise error
    except type(error):
        return error


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("it failed", 3),
        BodyTooLargeError(2**20),
        OSError(errno.ENOSPC, "No space left", "/disk"),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid"),
        MemoryError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_own_errors_are_alike(error: Exception) -> None:
    shared = raised(error)
    depth = len(traceback.extract_tb(shared.__traceback__))
    own = each_its_own(shared, 3)
    assert len({id(one) for one in (*own, shared)}) == 4
    for one in own:
        assert (type(one), one.args, vars(one)) == (type(shared), shared.args, vars(shared))
        assert one.__cause__ is shared
        assert len(traceback.extract_tb(raised(one).__traceback__)) == 1
    assert len(traceback.extract_tb(shared.__traceback__)) == depth
    assert isinstance(shared, UnicodeDecodeError) or {str(one) for one in own} == {str(shared)}


def test_what_belongs_to_an_error_of_the_system_is_kept() -> None:
    [one, _] = each_its_own(OSError(errno.ENOSPC, "No space left", "/disk"), 2)
    assert isinstance(one, OSError)
    assert (one.errno, one.strerror, one.filename) == (errno.ENOSPC, "No space left", "/disk")


def test_error_of_one_alone_is_its_own() -> None:
    error = RuntimeError()
    [one] = each_its_own(error, 1)
    assert one is error
    assert each_its_own(error, 0) == []
