"""Which engine runs a graph, and what happens if OpenVINO is missing or gives other results."""

import logging
import platform
import sys
from pathlib import Path

import numpy as np
import pytest

from api.model.backbone import open_backbone
from api.model.detector import Detector
from api.model.engines import choice, processor
from api.model.engines.choice import CompiledGraph, open_graph
from api.model.engines.openvino import has_bfloat16
from api.model.package import Package, load_package
from api.settings import PROJECT, EngineName


@pytest.fixture(scope="module")
def package() -> Package:
    return load_package(PROJECT / "models" / "default")


def accept(_: CompiledGraph) -> None:
    pass


def refuse_openvino(compiled: CompiledGraph) -> None:
    if compiled.name == "openvino":
        raise ValueError("A class is another one.")


@pytest.mark.parametrize("fast", [True, False])
def test_auto_chooses_openvino_if_the_processor_has_bfloat16(
    package: Package, fast: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choice, "_prefers_openvino", lambda: fast)
    chosen = open_graph(package.backbone, accept, "auto", 1)
    assert chosen.name == ("openvino" if fast else "litert")


@pytest.mark.parametrize("engine", ["litert", "openvino"])
def test_named_engine_is_used(package: Package, engine: EngineName) -> None:
    assert open_graph(package.backbone, accept, engine).name == engine


def test_auto_falls_back_to_litert_if_openvino_differs(
    package: Package, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(choice, "_prefers_openvino", lambda: True)
    with caplog.at_level(logging.WARNING):
        chosen = open_graph(package.backbone, refuse_openvino, "auto")
    assert chosen.name == "litert"
    assert "A class is another one." in caplog.text


def test_named_engine_that_differs_is_an_error(package: Package) -> None:
    with pytest.raises(ValueError, match="A class is another one"):
        open_graph(package.backbone, refuse_openvino, "openvino")


def test_missing_openvino(package: Package, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "api.model.engines.openvino", None)
    assert open_graph(package.backbone, accept, "auto").name == "litert"
    with pytest.raises(ValueError, match="not installed"):
        open_graph(package.backbone, accept, "openvino")


def test_openvino_answers_the_probe_of_the_shipped_package(package: Package) -> None:
    assert open_backbone(package, "openvino").name == "openvino"
    assert Detector.of_package(package, "openvino") is not None


@pytest.mark.parametrize("change", ["another class", "less sure"])
def test_another_engine_must_answer_the_probe_as_recorded(package: Package, change: str) -> None:
    recorded = np.array(package.manifest.probe)
    if change == "another class":
        recorded = np.roll(recorded, 1, axis=1)
    else:  # The class stays the same.
        recorded = 0.6 * recorded + 0.4 / recorded.shape[1]
    manifest = package.manifest.model_copy(update={"probe": recorded.tolist()})
    changed = Package(package.folder, manifest, package.backbone, package.head)
    with pytest.raises(ValueError, match="drawn fruit"):
        open_backbone(changed, "openvino")


def test_package_without_a_recorded_probe_is_compared_with_litert(package: Package) -> None:
    manifest = package.manifest.model_copy(update={"probe": None})
    older = Package(package.folder, manifest, package.backbone, package.head)
    assert open_backbone(older, "openvino").name == "openvino"


def test_time_of_a_pass_is_measured(package: Package) -> None:
    info = choice.time_graph(open_graph(package.backbone, accept, "litert", 1), 160)
    assert (info.name, info.precision) == ("litert", "f32")
    assert info.milliseconds > 0
    assert info.processor == processor.processor()


@pytest.mark.parametrize("fast", [True, False])
def test_processor_decides_what_auto_prefers(fast: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "may_have_bfloat16", lambda: True)
    monkeypatch.setattr("api.model.engines.openvino.has_bfloat16", lambda: fast)
    assert choice._prefers_openvino() is fast


@pytest.mark.parametrize(
    ("features", "expected"),
    [
        ("flags : sse2 avx2 avx512_bf16", True),
        ("flags : avx2 avx_vnni", True),
        ("Features : asimd bf16", True),
        ("flags : sse2 avx2 avx512f", False),
        ("Features : asimd", False),
        (None, True),
    ],
    ids=["AVX-512", "AVX2", "Arm", "no bfloat16", "Arm without", "not Linux"],
)
def test_openvino_is_loaded_only_where_it_may_be_preferred(
    features: str | None, expected: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "cpuinfo"
    if features:
        file.write_text(features)
    monkeypatch.setattr(processor, "CPUINFO", file)
    # OpenVINO would always say yes.
    monkeypatch.setattr("api.model.engines.openvino.has_bfloat16", lambda: True)
    assert choice._prefers_openvino() is expected


@pytest.mark.parametrize(
    ("cpuinfo", "expected"),
    [
        (
            "cpu family\t: 25\nmodel\t\t: 17\nmodel name\t: AMD EPYC\n",
            "AMD EPYC, family 25, model 17",
        ),
        ("processor\t: 0\nFeatures\t: asimd bf16\n", "aarch64"),
        (None, "aarch64"),
    ],
    ids=["x86", "Arm", "not Linux"],
)
def test_processor_has_a_name_everywhere(
    cpuinfo: str | None, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "cpuinfo"
    if cpuinfo:
        file.write_text(cpuinfo)
    monkeypatch.setattr(processor, "CPUINFO", file)
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    assert processor.processor() == expected


def test_the_features_of_this_processor_are_known() -> None:
    assert processor.may_have_bfloat16() or not has_bfloat16()
