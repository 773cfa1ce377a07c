"""Scripted answers of the endpoints behind the page Dataset insights."""

from typing import Any

CHAMPION = "20261121-100000-aaaaaaa"
IMAGE_ID = "0" * 32
# One grey pixel.
GIF = "data:image/gif;base64,R0lGODlhAQABAIAAAHh4eAAAACH5BAAAAAAALAAAAAABAAEAAAICRAEAOw=="
QUANTILES = {"p5": 0.1, "p25": 0.3, "p50": 0.5, "p75": 0.7, "p95": 0.9}
APPEARANCE = {"brightness": QUANTILES, "saturation": QUANTILES, "hue": QUANTILES}
INSIGHTS: dict[str, Any] = {
    "model_version": CHAMPION,
    "examples": 30,
    "from_catalog": 4,
    "counts": [
        {"class_name": "freshapples", "split": "train", "origin": "shipped", "examples": 16},
        {"class_name": "freshapples", "split": "test", "origin": "upload", "examples": 4},
        {"class_name": "rottenapples", "split": "train", "origin": "boxed", "examples": 10},
    ],
    "balance": {
        "largest": "freshapples",
        "largest_examples": 20,
        "smallest": "rottenapples",
        "smallest_examples": 10,
        "ratio": 2.0,
        "story": "Twice as many fresh apples.",
    },
    "freshness": {
        "fresh": 20,
        "rotten": 10,
        "other": 0,
        "by_fruit": [{"fruit": "apple", "fresh": 20, "rotten": 10}],
        "story": "Twenty against ten.",
    },
    "appearance": {
        "measured": 30,
        "not_measured": 0,
        "by_class": [
            {"class_name": "freshapples", "examples": 20, **APPEARANCE},
            {"class_name": "rottenapples", "examples": 10, **APPEARANCE},
        ],
        "story": "Light does not give it away.",
    },
    "sizes": {
        "measured": 30,
        "not_measured": 0,
        "width": QUANTILES,
        "height": QUANTILES,
        "input_size": 160,
        "smaller": 0,
        "sizes": [{"width": 200, "height": 100, "examples": 30}],
        "story": "All are large enough.",
    },
    "copies": {
        "photographs": 26,
        "files": 60,
        "with_copies": 20,
        "most": 3,
        "known": True,
        "histogram": [{"copies": 1, "photographs": 6}, {"copies": 3, "photographs": 20}],
        "in_two_splits": 0,
        "leak": {"test_share": 0.15, "test_photographs": 5, "also_in_train": 4, "share": 0.853},
        "story": "85 % would have leaked.",
    },
}
MAP: dict[str, Any] = {
    "model_version": CHAMPION,
    "total": 2,
    "left_out": 0,
    "unreadable": [],
    "explained": [0.5, 0.2],
    "points": [
        {
            "x": 0.1,
            "y": 0.2,
            "class_name": "freshapples",
            "split": "train",
            "origin": "upload",
            "photograph": "freshapples/one",
            "image_id": IMAGE_ID,
        },
        {
            "x": 0.3,
            "y": 0.1,
            "class_name": "rottenapples",
            "split": "test",
            "origin": "shipped",
            "photograph": "rottenapples/two",
            "image_id": None,
        },
    ],
    "story": "What is alike lies close.",
}
VIEW = {
    "picture": GIF,
    "predicted_class": "freshapples",
    "confidence": 0.9,
    "freshness_score": 0.93,
}
AUGMENTATION: dict[str, Any] = {
    "model_version": CHAMPION,
    "image_id": IMAGE_ID,
    "class_name": "freshapples",
    "seed": 0,
    "freshness": "fresh",
    "original": VIEW,
    "views": [{**VIEW, "freshness_score": 0.6 + k / 100} for k in range(8)],
    "story": "The score hardly moves.",
}
IMAGES: dict[str, Any] = {
    "total": 1,
    "offset": 0,
    "limit": 12,
    "images": [
        {
            "id": IMAGE_ID,
            "class_name": "freshapples",
            "split": "train",
            "origin": "upload",
            "filename": "one.jpg",
            "width": 200,
            "height": 100,
            "bytes": 9000,
            "sha256": "ab",
            "photograph": "p1",
            "created_at": "2026-11-21T10:00:00Z",
        }
    ],
}
