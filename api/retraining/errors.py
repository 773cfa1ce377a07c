"""Why a retraining cannot start or go on, in words for the person who asked for it."""

from collections.abc import Sequence
from http import HTTPStatus

from api.core.errors import ProblemError


class RunActiveError(ProblemError):
    status = HTTPStatus.CONFLICT
    code = "run-active"

    def __init__(self, run_id: str) -> None:
        super().__init__(
            f"Run {run_id} is queued or running, and one runs at a time. Wait for it "
            f"(GET /retraining-status) or cancel it (POST /runs/{run_id}/cancel)."
        )


class NothingNewError(ProblemError):
    status = HTTPStatus.CONFLICT
    code = "nothing-new"

    def __init__(self, champion: str) -> None:
        super().__init__(
            f"Version {champion} has learned all photographs that there are. Upload more, correct "
            'some, or send {"force": true}.'
        )


class NoChampionError(ProblemError):
    status = HTTPStatus.CONFLICT
    code = "no-champion"

    def __init__(self) -> None:
        super().__init__(
            "No model version serves, so there is nothing to start from. Promote one "
            "(GET /models lists them), or start the API once with a package in RIPELINE_MODEL_DIR."
        )


class UnknownRunError(ProblemError):
    status = HTTPStatus.NOT_FOUND
    code = "unknown-run"

    def __init__(self, run_id: str) -> None:
        super().__init__(f"There is no run {run_id!r}. GET /runs lists them.")


class RunOverError(ProblemError):
    status = HTTPStatus.CONFLICT
    code = "run-over"

    def __init__(self, run_id: str, state: str) -> None:
        super().__init__(f"Run {run_id} is over ({state}), so there is nothing to cancel.")


class TooFewOfClassError(ProblemError):
    code = "too-few-of-class"

    def __init__(self, few: Sequence[tuple[str, int]], least: int) -> None:
        """`few` are classes with the number of different photographs of each."""
        named = ", ".join(f"{name} ({count})" for name, count in few)
        super().__init__(
            f"Too few different photographs of {named}: each class needs at least {least}, some of "
            "them in the train split; about 30 do well. Upload more, or leave the class out by "
            "naming the others in 'classes'."
        )


class TooFewClassesError(ProblemError):
    status = HTTPStatus.CONFLICT
    code = "too-few-classes"

    def __init__(self, classes: Sequence[str]) -> None:
        super().__init__(
            f"A grader needs at least two classes; this one would have {len(classes)} "
            f"({', '.join(classes) or 'none'})."
        )


class UnknownClassesError(ProblemError):
    status = HTTPStatus.CONFLICT
    code = "unknown-classes"

    def __init__(self, unknown: Sequence[str], known: Sequence[str]) -> None:
        super().__init__(
            f"There are no photographs of {', '.join(unknown)}. There are some of: "
            f"{', '.join(known)}."
        )


class PhotographsMissingError(ProblemError):
    code = "photographs-missing"

    def __init__(self, classes: Sequence[str]) -> None:
        super().__init__(
            f"Full retraining needs the photographs themselves, and most of those of "
            f"{', '.join(classes)} are not on the worker's machine (only what the model kept of "
            "them). Import them there (make data), use the mode fast, or name the classes to "
            "learn in 'classes'."
        )


class RunGivenUpError(Exception):
    """The run was ended by others meanwhile, so what its process makes counts no more."""

    def __init__(self, run_id: str) -> None:
        super().__init__(f"Run {run_id} was ended by others.")
