"""What can be wrong with photographs that people send to learn from."""

from http import HTTPStatus

from api.errors import ProblemError


class UnprocessableError(ProblemError):
    """The request can be read, but what it asks cannot be done."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


class TooLargeError(ProblemError):
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class BadClassNameError(UnprocessableError):
    code = "bad-class-name"


class MissingClassNameError(UnprocessableError):
    code = "missing-class-name"

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} needs a class. Name it in the form field 'class_name', or send a zip that "
            "has a folder of photographs for each class."
        )


class NoFilesError(UnprocessableError):
    code = "no-files"

    def __init__(self) -> None:
        super().__init__(
            "The form has no file in a field named 'files' "
            "(curl: -F files=@apple.jpg -F class_name=freshapples)."
        )


class BadFormError(ProblemError):
    code = "bad-form"


class NotAFormError(ProblemError):
    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    code = "not-a-form"

    def __init__(self, content_type: str) -> None:
        super().__init__(
            "Send photographs or zips as a multipart form, in fields named 'files'; this request "
            f"has {content_type or 'no content type'}."
        )


class FileTooLargeError(TooLargeError):
    code = "file-too-large"

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"The file is longer than {limit / 2**20:.0f} MiB. Send a smaller copy of the picture."
        )


class BrokenArchiveError(UnprocessableError):
    code = "broken-archive"

    def __init__(self) -> None:
        super().__init__("The zip is damaged or cut off. Make it again and send it once more.")


class EmptyArchiveError(UnprocessableError):
    code = "empty-archive"

    def __init__(self) -> None:
        super().__init__("The zip holds no photographs. Zip a folder of pictures for each class.")


class EncryptedArchiveError(UnprocessableError):
    code = "encrypted-archive"

    def __init__(self) -> None:
        super().__init__("The zip is protected by a password. Send one without.")


class TooManyEntriesError(TooLargeError):
    code = "too-many-entries"

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"The zip holds more than {limit} files, or names that are far too long. Send several "
            "smaller zips."
        )


class ArchiveTooLargeError(TooLargeError):
    code = "archive-too-large"

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"Unpacked, the zip is longer than {limit / 2**20:.0f} MiB. Send several smaller zips."
        )


class BrokenEntryError(UnprocessableError):
    code = "broken-entry"

    def __init__(self) -> None:
        super().__init__(
            "This file of the zip cannot be unpacked: it is damaged, or packed in a way other "
            "than 'deflate'. Make the zip again, or send the file by itself."
        )


class NestedArchiveError(UnprocessableError):
    code = "nested-archive"

    def __init__(self) -> None:
        super().__init__("A zip within a zip is not opened. Send it by itself.")


class UnsafePathError(UnprocessableError):
    code = "unsafe-path"

    def __init__(self) -> None:
        super().__init__("The path of this file leads out of the zip. Make the zip again.")


class ImageNotFoundError(ProblemError):
    status = HTTPStatus.NOT_FOUND
    code = "image-not-found"

    def __init__(self, image_id: str) -> None:
        super().__init__(
            f"There is no training image {image_id}. GET /dataset/images lists what there is."
        )
