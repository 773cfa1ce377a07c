"""An error for each of those whose work failed together.

Every `raise` adds to the traceback of its error, so one error that several threads or tasks raise
tells of all of them.
"""


def each_its_own(error: Exception, count: int) -> list[Exception]:
    """`count` errors alike, with `error` as their cause; `error` itself if it is needed once."""
    return [error] if count == 1 else [_alike(error) for _ in range(count)]


def _alike(error: Exception) -> Exception:
    # Not by its constructor, whose parameters may be others than `args`.
    kind = type(error)
    alike: Exception = kind.__new__(kind, *error.args)
    alike.args = error.args
    if isinstance(error, OSError) and isinstance(alike, OSError):
        alike.errno, alike.strerror = error.errno, error.strerror
        alike.filename = error.filename
    vars(alike).update(vars(error))
    alike.__cause__ = error
    return alike
