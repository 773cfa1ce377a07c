"""Which class names people may give to photographs."""

from typing import Annotated

from pydantic import Field

from api.core.errors import UnprocessableError
from api.core.labels import normalise_class_name
from api.core.layout import OTHERS_PREFIX

LETTER_OR_DIGIT = r"\p{L}|\p{N}"
# Of an upload or a word; `accepted_class_name` verifies it, with words of its own for people.
ClassName = Annotated[
    str,
    Field(
        description="With a letter or a digit, of any script; a new class is welcome.",
        json_schema_extra={"pattern": LETTER_OR_DIGIT},
    ),
]


class BadClassNameError(UnprocessableError):
    code = "bad-class-name"


def accepted_class_name(text: str) -> str:
    """The normalised class name; a new one is welcome. Raises BadClassNameError."""
    try:
        name = normalise_class_name(text)
    except ValueError as error:
        raise BadClassNameError(str(error)) from None
    if name.startswith(OTHERS_PREFIX):
        raise BadClassNameError(
            f"Names that begin with '{OTHERS_PREFIX}' stand for photographs of nothing that should "
            "be recognised, which are no class. Give a class another name."
        )
    return name
