"""Files of boxes as other tools write them: Pascal VOC, COCO and YOLO.

Boxes become corners, counted from 0. A file's name is only looked up among the uploaded files, so
no path can lead outside. The XML parser refuses document types, so no entity can be declared
(defusedxml would be one more dependency for that).
"""

import json
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from posixpath import commonpath
from typing import Any, NamedTuple
from xml.etree import ElementTree
from xml.parsers import expat

from api.catalog.box_frames import MAX_BOXES, LabelledBox, Size, TooManyBoxesError
from api.core.boxes import Box
from api.core.errors import ProblemError, UnprocessableError
from api.core.formatting import printable
from api.core.imaging.decode import EXTENSIONS

Read = Callable[[str], bytes]
# The class of boxes that only mark the place of a fruit.
UNNAMED = "fruit"
CLASS_LISTS = ("classes.txt", "obj.names")
YOLO_COLUMNS = 5
YAML_LISTS = ("data.yaml", "data.yml")
# Of a list of classes: parsing YAML is slow.
MAX_LIST_BYTES = 64 * 1024
# The numbers of YOLO's classes, and their names.
ClassList = Mapping[float, str]


class BadAnnotationError(UnprocessableError):
    code = "bad-annotation"


class FileBoxes(NamedTuple):
    """The boxes that files give for the photo at `path`.

    `stated` is the photo's size by those files, if they give one. `shares`: the boxes are shares of
    the photo's sides, not pixels.
    """

    path: str
    boxes: list[LabelledBox]
    complete: bool = True
    stated: Size | None = None
    shares: bool = False


def read_annotations(
    paths: Iterable[str], read: Read
) -> Iterator[FileBoxes | tuple[str, ProblemError]]:
    """Each photo with its boxes, or a path and why it cannot be taken.

    `paths` are those of all files that were sent, with `/`; `read` returns the bytes of one and may
    raise a ProblemError.
    """
    files = _Files(paths)
    found: dict[str, FileBoxes] = {}
    twice: set[str] = set()
    for path, reader in _readers(files, read):
        try:
            for boxes in reader(path):
                if isinstance(boxes, tuple) and not isinstance(boxes, FileBoxes):
                    yield boxes
                elif boxes.path in found:
                    twice.add(boxes.path)
                else:
                    found[boxes.path] = boxes
        except ProblemError as error:
            yield path, error
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError, AttributeError):
            yield path, BadAnnotationError("This file of boxes cannot be read: it is damaged.")
    for path in files.photos:
        if path in twice:
            yield path, BadAnnotationError("Its boxes are given twice. Send one list for a photo.")
        elif path in found:
            yield found[path]
        else:
            yield path, BadAnnotationError("No file of boxes names this photo.")


_Found = FileBoxes | tuple[str, ProblemError]
_Reader = Callable[[str], Iterator[_Found]]


class _Files:
    """The names of the files that were sent, looked up with or without regard to case and
    Unicode form: macOS may decompose the letters of file names."""

    def __init__(self, paths: Iterable[str]) -> None:
        self.paths = sorted(set(paths))
        self.photos = [path for path in self.paths if path.lower().endswith(EXTENSIONS)]
        self._by_name: dict[str, list[str]] = {}
        for path in self.photos:
            for name in {PurePosixPath(path).name, _stem(path)}:
                self._by_name.setdefault(_folded(name), []).append(path)

    def photo(self, name: str, beside: str) -> str:
        """The photo that the file `beside` calls `name`, with or without an extension.

        Raises BadAnnotationError.
        """
        wanted = PurePosixPath(name.replace("\\", "/"))
        candidates = self._by_name.get(_folded(wanted.name), [])
        exact = [
            path for path in candidates if wanted.name in (PurePosixPath(path).name, _stem(path))
        ]
        near = exact or candidates
        if len(near) > 1:
            near = _closest(near, wanted, PurePosixPath(beside))
        if not near:
            raise BadAnnotationError(f"Its photo '{printable(name)[:80]}' was not sent.")
        if len(near) > 1:
            raise BadAnnotationError(f"Several photos may be its '{printable(name)[:80]}'.")
        return near[0]


def _closest(paths: list[str], wanted: PurePosixPath, beside: PurePosixPath) -> list[str]:
    """The paths that share most folders with the name, then with the file that names it."""

    def shared(path: str) -> tuple[int, int]:
        folders = PurePosixPath(path).parts[:-1]
        return (
            sum(part in folders for part in wanted.parts[:-1]),
            sum(part in folders for part in beside.parts[:-1]),
        )

    best = max(map(shared, paths))
    return [path for path in paths if shared(path) == best]


def _readers(files: _Files, read: Read) -> Iterator[tuple[str, _Reader]]:
    lists = {
        path: _class_list(path, read(path))
        for path in files.paths
        if PurePosixPath(path).name.lower() in (*CLASS_LISTS, *YAML_LISTS)
    }
    for path in files.paths:
        name = PurePosixPath(path).name.lower()
        if name.endswith(".xml"):
            yield path, lambda path: _voc(path, read(path), files)
        elif name.endswith(".json"):
            yield path, lambda path: _coco(path, read(path), files)
        elif name.endswith(".txt") and name not in CLASS_LISTS and files.photos:
            yield path, lambda path: _yolo(path, read(path), files, lists)


def _voc(path: str, data: bytes, files: _Files) -> Iterator[_Found]:
    root = _parse_xml(data)
    name = root.findtext("filename") or _stem(path)
    objects = root.findall("object")
    _check_count(len(objects))
    boxes = []
    for item in objects:
        edges = [item.findtext(f"bndbox/{edge}") for edge in ("xmin", "ymin", "xmax", "ymax")]
        boxes.append(_box(Box(*(float(edge or "") for edge in edges)), item.findtext("name")))
    stated = _size(root.findtext("size/width"), root.findtext("size/height"))
    yield FileBoxes(files.photo(name, path), boxes, stated=stated)


def _parse_xml(data: bytes) -> ElementTree.Element:
    """Raises BadAnnotationError."""

    def refuse(*_: Any) -> None:
        raise BadAnnotationError("The XML has a document type, which is not read. Leave it out.")

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(data, True)
        return ElementTree.fromstring(data)  # noqa: S314  (without a document type: see above)
    except (expat.ExpatError, ElementTree.ParseError, LookupError) as error:
        raise BadAnnotationError("The XML is damaged or cut off.") from error


def _coco(path: str, data: bytes, files: _Files) -> Iterator[_Found]:
    document = json.loads(data)
    if not (isinstance(document, dict) and {"images", "annotations"} <= document.keys()):
        return  # Another tool's settings.
    names = {item["id"]: item["name"] for item in document.get("categories", [])}
    of_image: dict[Any, list[Mapping[str, Any]]] = {item["id"]: [] for item in document["images"]}
    for item in document["annotations"]:
        if item["image_id"] in of_image:
            of_image[item["image_id"]].append(item)
    for image in document["images"]:
        name = str(image["file_name"])
        try:
            yield _coco_image(files.photo(name, path), image, of_image[image["id"]], names)
        except (ValueError, TypeError, KeyError, OverflowError):
            yield printable(name), BadAnnotationError("A box of this photo is not four numbers.")
        except ProblemError as error:
            yield printable(name), error


def _coco_image(
    path: str, image: Mapping[str, Any], items: list[Mapping[str, Any]], names: Mapping[Any, Any]
) -> FileBoxes:
    single = [item for item in items if not item.get("iscrowd")]
    _check_count(len(single))
    boxes = []
    for item in single:
        x_min, y_min, width, height = map(float, item["bbox"])
        box = Box(x_min, y_min, x_min + width, y_min + height)
        category = item["category_id"]
        if category not in names:
            raise BadAnnotationError(f"A box has category {category}, and the file names no such.")
        boxes.append(_box(box, str(names[category])))
    complete = len(single) == len(items) and image.get("complete") is not False
    stated = _size(image.get("width"), image.get("height"))
    return FileBoxes(path, boxes, complete, stated)


def _yolo(
    path: str, data: bytes, files: _Files, lists: Mapping[str, ClassList]
) -> Iterator[_Found]:
    if not lists:
        return  # Not YOLO, just a text file.
    names = _nearest(lists, path)
    lines = [line.split() for line in data.decode("utf-8-sig", "replace").splitlines()]
    lines = [line for line in lines if line]
    _check_count(len(lines))
    boxes = []
    for number, line in enumerate(lines, start=1):
        if len(line) != YOLO_COLUMNS:
            raise BadAnnotationError(f"Line {number} is not a class and four numbers.")
        index, x, y, width, height = map(float, line)
        if index not in names:
            raise BadAnnotationError(f"Line {number} has class {index:g}, and no list names it.")
        box = Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)
        boxes.append(_box(box, names[index]))
    yield FileBoxes(files.photo(_stem(path), path), boxes, shares=True)


def _nearest(lists: Mapping[str, ClassList], path: str) -> ClassList:
    """The list that shares most folders with `path`. Raises BadAnnotationError if several do, with
    other names."""
    shared = {name: len(commonpath([f"/{name}", f"/{path}"])) for name in lists}
    near = [name for name in lists if shared[name] == max(shared.values())]
    if any(lists[name] != lists[near[0]] for name in near):
        raise BadAnnotationError(f"Which list names its classes: {' or '.join(near)}? Send one.")
    return lists[near[0]]


def _class_list(path: str, data: bytes) -> ClassList:
    """The class names in a classes.txt or a data.yaml; empty if it has none."""
    if len(data) > MAX_LIST_BYTES:
        return {}
    text = data.decode("utf-8-sig", "replace")
    if PurePosixPath(path).name.lower() in CLASS_LISTS:
        return dict(enumerate(text.split("\n")))
    # A hundredth of a second to import, and few uploads need it.
    import yaml  # noqa: PLC0415

    try:
        # All scalars are text: no name becomes a number, a date or a truth value.
        document = yaml.load(text, yaml.BaseLoader)  # noqa: S506  (it makes no objects)
        names = document["names"]
        numbered = dict(enumerate(names)) if isinstance(names, list) else names
        # A few aliases of lists of aliases, as one text, would fill the memory.
        if not all(isinstance(name, str) for name in numbered.values()):
            return {}
        return {int(number): name for number, name in numbered.items()}
    except (yaml.YAMLError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}


def _check_count(count: int) -> None:
    if count > MAX_BOXES:
        raise TooManyBoxesError(count)


def _box(box: Box, name: str | None) -> LabelledBox:
    text = (name or "").strip()
    return LabelledBox(box, None if text.lower() in ("", UNNAMED) else text[:200])


def _size(width: Any, height: Any) -> Size | None:
    """None if a tool left them out, or wrote 0."""
    size = Size(int(float(width or 0)), int(float(height or 0)))
    return size if any(size) else None


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).lower()


def _stem(path: str) -> str:
    return PurePosixPath(path).stem
