"""A version as a zip that works without Ripeline: network, head, labels, and a script that grades.

The script's answers are compared with the service's in `tests/registry/test_export.py`.
"""

import io
import json
import logging
import zipfile
from collections.abc import Mapping
from dataclasses import asdict
from importlib import resources
from string import Template

from api.core.freshness_levels import HALF, LevelThresholds
from api.core.imaging.decode import DRAFT_SIDE
from api.core.labels import read_label
from api.core.ood import DISTANCE_WEIGHT
from api.model.manifest import Manifest
from api.model.package import BACKBONE, HEAD, MANIFEST, Package

SCRIPT, README, LABELS, MODEL = "grade.py", "README.md", "labels.txt", "model.json"
ONNX = "backbone.onnx"
_ONNX_USE = """
With ONNX Runtime instead of LiteRT:

    pip install numpy pillow onnxruntime
    python grade.py --onnx PHOTO ...
"""
_ONNX_ROW = f"| `{ONNX}` | the same network as ONNX, `image` to `features` |\n"
# Of a file in a zip. The version may be from another time, if a clock was wrong.
FIRST_TIME, LAST_TIME = (1980, 1, 1, 0, 0, 0), (2107, 12, 31, 23, 59, 58)
log = logging.getLogger(__name__)
_FILES = resources.files("api.registry") / "export_files"


def export_zip(
    package: Package,
    thresholds: LevelThresholds | None,
    by_fruit: Mapping[str, LevelThresholds],
) -> bytes:
    """A zip with one folder, named after the version. Its timestamps are the version's.

    `thresholds` apply to fruits that are not in `by_fruit`; None without freshness classes.
    """
    manifest = package.manifest
    model = _model(manifest, thresholds, by_fruit)
    head = io.BytesIO()
    # Saved again, because the head of an old package has another format.
    package.head.save(head)
    onnx = _onnx(package.backbone)
    files = {
        README: _readme(package, has_onnx=onnx is not None).encode(),
        SCRIPT: (_FILES / SCRIPT).read_bytes(),
        BACKBONE: package.backbone,
        HEAD: head.getvalue(),
        LABELS: "".join(f"{name}\n" for name in manifest.classes).encode(),
        MODEL: json.dumps(model, indent=2, ensure_ascii=False).encode(),
        MANIFEST: manifest.to_json().encode(),
    }
    if onnx is not None:
        files[ONNX] = onnx
    made = min(max(manifest.created_at.timetuple()[:6], FIRST_TIME), LAST_TIME)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(f"ripeline-{manifest.version}/{name}", made)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
    return stream.getvalue()


def _model(
    manifest: Manifest,
    thresholds: LevelThresholds | None,
    by_fruit: Mapping[str, LevelThresholds],
) -> dict[str, object]:
    labels = {name: read_label(name) for name in manifest.classes}
    return {
        "version": manifest.version,
        "classes": manifest.classes,
        "freshness": {name: label.freshness for name, label in labels.items() if label.freshness},
        **asdict(thresholds or LevelThresholds(HALF)),
        "by_class": {
            name: asdict(by_fruit[label.fruit])
            for name, label in labels.items()
            if label.fruit in by_fruit
        },
        "input_size": manifest.input_size,
        "decoded_side": DRAFT_SIDE,
        "distance_weight": float(DISTANCE_WEIGHT),
    }


def _onnx(backbone: bytes) -> bytes | None:
    """None for a network with operators that cannot be converted."""
    # Imported here: slow, and needed only for this.
    from api.registry.onnx_graph import NotConvertibleError, to_onnx  # noqa: PLC0415

    try:
        return to_onnx(backbone)
    except NotConvertibleError as error:
        log.warning("The export has no %s: %s", ONNX, error)
        return None


def _readme(package: Package, *, has_onnx: bool) -> str:
    manifest = package.manifest
    rows, columns, channels = manifest.feature_shape
    return Template((_FILES / README).read_text(encoding="utf-8")).substitute(
        version=manifest.version,
        classes=", ".join(manifest.classes),
        size=manifest.input_size,
        rows=rows,
        columns=columns,
        channels=channels,
        onnx_use=_ONNX_USE if has_onnx else "",
        onnx_row=_ONNX_ROW if has_onnx else "",
        onnx_too=", with either network," if has_onnx else "",
    )
