"""Remove package files that an image never uses: python prune_packages.py /venv [serve]

Run while an image is built, in a stage that has `strip`. `serve` also removes what only training
uses. `make test-images` and `make test-containers` grade, retrain and serve with what is left.
"""

import shutil
import subprocess
import sys
from pathlib import Path

# In any package: tests, files for compilers, type stubs, and all bytecode. An image compiles only
# the modules that it imports.
FOLDERS = ("tests", "test", "__pycache__")
SUFFIXES = (".pyi", ".pyx", ".pxd", ".h", ".hpp", ".c", ".cc", ".cpp", ".a", ".lib")
# Paths below site-packages.
PARTS = (
    "pip",
    "pip-*.dist-info",
    # Graphs are TFLite and run on the CPU. These are for other formats and devices.
    "openvino/libs/*_gpu_plugin.so",
    "openvino/libs/*_npu_plugin.so",
    "openvino/libs/cache.json",
    *(f"openvino/libs/libopenvino_{name}_frontend.so.*" for name in ("onnx", "paddle", "pytorch")),
    *(f"openvino/libs/libopenvino_{name}_frontend.so.*" for name in ("gguf", "jax", "tensorflow")),
    *(f"openvino/frontend/{name}" for name in ("jax", "onnx", "paddle", "pytorch", "tensorflow")),
    "openvino/include",
    # The interpreter, which runs the graphs, does not use these.
    "ai_edge_litert/libLiteRt.so",
    "ai_edge_litert/libLiteRtWebGpuAccelerator.so",
    "ai_edge_litert/tools",
    "ai_edge_litert/vendors",
    # For writing operations of TensorFlow in C++.
    "tensorflow/include",
    "clang",
    # For exporting quantised graphs of another format.
    "tensorflow/compiler/mlir/stablehlo",
    # For TensorBoard, which no image has; TensorFlow itself bundles another copy.
    "grpc",
    # Arrow Flight and Substrait.
    "pyarrow/include",
    *(f"pyarrow/libarrow_{name}.so*" for name in ("flight", "flight_sql", "substrait")),
    *(f"pyarrow/_{name}.*.so" for name in ("flight", "substrait")),
    # For notebooks.
    "plotly/labextension",
    "pydeck/nbextension",
)
SERVE = (
    # Compiled copies of modules that also exist in Python, fast enough for a report's one font.
    "fontTools/**/*.so",
    # Databases other than the catalog's two.
    *(f"sqlalchemy/dialects/{name}" for name in ("mssql", "mysql", "oracle")),
    # Translations of its own messages, which we do not use.
    "apprise/i18n",
)
# Its folders named `test` are helpers for other projects' tests, and are imported with the rest.
UNTOUCHED = "tensorflow/"
# Of the 400 services that botocore describes, only those needed for the bucket and its keys.
SERVICES = ("s3", "sts", "sso", "sso-oidc", "signin")


def main(environment: Path, *more: str) -> None:
    [packages] = environment.glob("lib/python3.*/site-packages")
    before = size(packages)
    parts = (*PARTS, *SERVE) if "serve" in more else PARTS
    unused = [path for part in parts for path in packages.glob(part)]
    services = packages.glob("botocore/data/*/")
    unused += [path for path in services if path.name not in SERVICES]
    for name in FOLDERS:
        found = [path for path in packages.rglob(name) if path.is_dir()]
        unused += [path for path in found if name == "__pycache__" or not is_kept(path, packages)]
    unused += [path for suffix in SUFFIXES for path in packages.rglob(f"*{suffix}")]
    for path in unused:
        remove(path)
    shared = packages.rglob("*.so*")
    libraries = [path for path in shared if path.is_file() and not path.is_symlink()]
    # Removes function names, which only debuggers need: a tenth of the size.
    strip = shutil.which("strip")
    if strip is None:
        sys.exit("This needs strip, which is in binutils.")
    subprocess.run([strip, "--strip-unneeded", *libraries], check=True)  # noqa: S603
    sys.stdout.write(f"{(before - size(packages)) / 1e6:.0f} of {before / 1e6:.0f} MB removed\n")


def is_kept(folder: Path, packages: Path) -> bool:
    return folder.relative_to(packages).as_posix().startswith(UNTOUCHED)


def remove(path: Path) -> None:
    """Remove it, unless it went with its folder."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def size(folder: Path) -> int:
    """Bytes of all files in the folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
