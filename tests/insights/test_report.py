"""The report: its metrics and its text summary."""

import json
from pathlib import Path
from typing import Any

import pytest

from api.insights.report import comparison, crossvalidation, figures, report
from api.settings import PROJECT

SCORES = {
    "split": "by photograph",
    "files": 520,
    "photographs": 215,
    "accuracy": 0.98,
    "accuracy_interval_95": [0.95, 0.99],
}
LEFT_OUT: dict[str, Any] = {
    "split": "leave one source out",
    "fruits": 100,
    "photographs": 90,
    "accuracy": 0.95,
    "accuracy_interval_95": [0.9, 0.98],
    "by_source": {
        "white_paper": {"fruits": 60, "photographs": 60, "accuracy": 0.9},
        "web": {"fruits": 40, "photographs": 30, "accuracy": None, "fruit_accuracy": 0.97},
    },
    "worst_groups": [
        {"source": "white_paper", "class": "rottenapples", "fruits": 9, "correct": 6},
    ],
    "freshness_pairs": {
        "fresh over rotten": {"ordered": 0.99, "told_apart": True},
        "fresh over past_best": {"ordered": 0.52, "told_apart": False},
    },
    "rejection": {
        "near_files": 300,
        "near_kinds": 34,
        "near_rejected": 0.92,
        "near_rejected_interval_95": [0.88, 0.95],
    },
}
MEASURED: dict[str, Any] = {
    "data": {"files": 9, "photographs": 4, "boxed": 0, "sha256": "a" * 64},
    "by_photograph": {**SCORES, "split": "5-fold by photograph"},
    "by_phone_run": {
        "split": "runs held out",
        "frames": 341,
        "boxes": 865,
        "fruit_accuracy": 0.95,
        "fruit_accuracy_interval_95": [0.93, 0.97],
        "edible_not_called_rotten": 0.97,
    },
    "supplied_split": {
        **SCORES,
        "split": "supplied split, which LEAKS",
        "leaks": True,
        "accuracy": 0.994,
        "test_photographs": 554,
        "test_photographs_also_in_train": 479,
    },
}
MANIFEST = {
    "version": "v",
    "architecture": "net",
    "metrics": {"test_by_photograph": SCORES},
    "data": {"sha256": "a" * 64},
}


def written(folder: Path, name: str, content: object) -> Path:
    (folder / name).write_text(json.dumps(content))
    return folder


def test_each_metric_names_what_it_was_measured_on() -> None:
    result = {figure.name: figure for figure in figures(MANIFEST["metrics"], MEASURED)}  # type: ignore[arg-type]
    assert list(result) == ["test", "folds", "phone_fruit", "phone_edible", "supplied"]
    assert result["test"].counts == "520 files of 215 photos"
    assert (result["test"].low, result["test"].high) == (0.95, 0.99)
    assert result["test"].measures == "version"
    assert result["folds"].measures == "recipe"
    assert result["phone_fruit"].counts == "865 boxed fruits on 341 photos"
    assert result["phone_edible"].low is None
    assert [name for name, figure in result.items() if figure.leaks] == ["supplied"]


def test_unseen_sources_come_first() -> None:
    result = figures(MANIFEST["metrics"], {**MEASURED, "leave_one_source_out": LEFT_OUT})  # type: ignore[arg-type]
    assert [figure.name for figure in result] == [
        "sources",
        "source",
        "source",
        "near",
        "test",
        "folds",
        "phone_fruit",
        "phone_edible",
        "supplied",
    ]
    every, paper, web, near = result[:4]
    assert (every.value, every.low, every.split) == (0.95, 0.9, "leave one source out")
    assert every.counts == "100 fruits on 90 photos"
    assert (paper.title, paper.value) == ("Right class, white paper left out", 0.9)
    assert paper.split == "graded by a grader that has seen nothing of white paper"
    # The web photos are labelled by fruit only.
    assert (web.title, web.value) == ("Right fruit, web left out", 0.97)
    assert (near.counts, near.value) == ("300 answers on 34 kinds", 0.92)
    assert {figure.measures for figure in result[:4]} == {"recipe"}


def test_story_begins_with_unseen_sources(tmp_path: Path) -> None:
    measured = {**MEASURED, "leave_one_source_out": LEFT_OUT}
    story = report(MANIFEST, written(tmp_path, "crossvalidation.json", measured)).story
    assert story.startswith("Of photos from sources that it has never met, its recipe gets 95")
    assert "rotten apple photos of white paper: 6 of 9 right" in story
    assert "tells fresh from past its best: in 52" in story
    assert "fresh from rotten" not in story
    assert story.index("never met") < story.index("five draws") < story.index("set's own split")


def test_version_without_metrics_has_those_of_its_recipe(tmp_path: Path) -> None:
    written(tmp_path, "crossvalidation.json", MEASURED)
    result = report({**MANIFEST, "metrics": {}, "data": {"sha256": "b" * 64}}, tmp_path)
    assert result.figures[0].name == "folds"
    assert not result.same_data
    assert "was not measured on photos of its own" in result.story


def test_null_metrics_are_not_measured(tmp_path: Path) -> None:
    nothing = {**SCORES, "accuracy": None, "accuracy_interval_95": None}
    source = {"fruits": 0, "photographs": 0, "accuracy": None, "fruit_accuracy": None}
    pairs = {"fresh over rotten": {"ordered": None, "told_apart": False}}
    written(
        tmp_path,
        "crossvalidation.json",
        {
            **MEASURED,
            "by_photograph": nothing,
            "leave_one_source_out": {
                **LEFT_OUT,
                "by_source": {"web": source},
                "freshness_pairs": pairs,
            },
        },
    )
    result = report({**MANIFEST, "metrics": {"test_by_photograph": nothing}}, tmp_path)
    names = [figure.name for figure in result.figures]
    assert names == ["sources", "near", "phone_fruit", "phone_edible", "supplied"]
    assert "was not measured on photos of its own" in result.story


def test_story_warns_of_the_leak(tmp_path: Path) -> None:
    result = report(MANIFEST, written(tmp_path, "crossvalidation.json", MEASURED))
    assert result.same_data
    assert "479 of its 554 test photos have a copy" in result.story


def test_without_recipe_measurements_only_the_version_is_shown(tmp_path: Path) -> None:
    result = report(MANIFEST, tmp_path)
    assert [figure.name for figure in result.figures] == ["test"]
    assert (result.recipe_data, result.same_data, result.comparison) == (None, False, None)


@pytest.mark.parametrize("text", ["{", "[]", '{"split": 1}'])
def test_invalid_files_are_ignored(tmp_path: Path, text: str) -> None:
    (tmp_path / "crossvalidation.json").write_text(text)
    (tmp_path / "comparison.json").write_text(text)
    assert figures({}, crossvalidation(tmp_path)) == []
    assert comparison(tmp_path) is None


def test_comparison_is_read(tmp_path: Path) -> None:
    trial = {
        "architecture": "net",
        "input_size": 160,
        "weights": "imagenet",
        "training": "fine-tuned",
        "accuracy": 0.9,
        "accuracy_interval_95": [0.8, 0.95],
        "macro_f1": 0.9,
        "parameters": 10,
        "megabytes": 1.5,
        "milliseconds": 2.5,
        "recipe": {},
    }
    rows = {"architectures": [trial], "input_sizes": [{**trial, "wanted_weights": "imagenet"}]}
    about = {"split": "test", "latency": "one core", "data": MEASURED["data"]}
    result = comparison(written(tmp_path, "comparison.json", {**about, **rows}))
    assert result is not None
    assert result.input_sizes[0].wanted_weights == "imagenet"


def test_folder_without_measurements_has_no_metrics(tmp_path: Path) -> None:
    """The state of `docs` between a change of the recipe and its new measurements."""
    assert figures({}, crossvalidation(tmp_path)) == []


def test_measurements_of_this_project_are_read() -> None:
    result = figures({}, crossvalidation(PROJECT / "docs"))
    assert [figure.name for figure in result].count("source") == 5
    assert all(figure.value is not None and figure.split for figure in result)


def test_kept_versions_come_from_the_verdict(tmp_path: Path) -> None:
    kept = {"created_at": "2026-11-21T10:00:00Z", "accuracy": 0.9, "photographs": 20}
    stored = {"figures": {"kept_versions": [{"version": "b", **kept}, {"version": "a", **kept}]}}
    manifest = json.loads((PROJECT / "models" / "default" / "manifest.json").read_text())
    shown = report(manifest, tmp_path, stored).kept_versions
    assert [one.version for one in shown] == ["b", "a"]
    assert report(manifest, tmp_path).kept_versions == []
