"""Grade photos with this version: `python grade.py PHOTO ...` prints one line of JSON for each.

Needs numpy, pillow and ai-edge-litert (onnxruntime instead if `--onnx` comes first), not Ripeline.
"""

import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

FOLDER = Path(__file__).parent
MODEL = json.loads((FOLDER / "model.json").read_text(encoding="utf-8"))
HEAD = np.load(FOLDER / "head.npz", allow_pickle=False)
USES_ONNX = "--onnx" in sys.argv[1:2]
if USES_ONNX:
    from onnxruntime import InferenceSession

    NETWORK = InferenceSession(FOLDER / "backbone.onnx", providers=["CPUExecutionProvider"])
else:
    from ai_edge_litert.interpreter import Interpreter

    NETWORK = Interpreter(model_path=str(FOLDER / "backbone.tflite"), num_threads=1)
    NETWORK.allocate_tensors()


def feature_map(image):
    if USES_ONNX:
        return NETWORK.run(None, {"image": image[None]})[0][0]
    NETWORK.set_tensor(NETWORK.get_input_details()[0]["index"], image[None])
    NETWORK.invoke()
    return NETWORK.get_tensor(NETWORK.get_output_details()[0]["index"])[0]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def level(score, best):
    thresholds = MODEL["by_class"].get(best, MODEL)
    if score < thresholds["rotten_below"]:
        return "rotten"
    fresh_from = thresholds["fresh_from"]  # None: there is no level in between.
    return "fresh" if fresh_from is None or score >= fresh_from else "past_best"


def grade(path):
    size, shortest = MODEL["input_size"], MODEL["decoded_side"]
    photo = Image.open(path)
    photo.draft("RGB", (shortest, shortest))  # A large JPEG is read at a smaller scale.
    upright = ImageOps.exif_transpose(photo).convert("RGB")
    image = upright.resize((size, size), Image.Resampling.BILINEAR, reducing_gap=2.0)
    features = feature_map(np.asarray(image, np.uint8)).mean(axis=(0, 1))

    # Which fruit: one logit each, and one for "none of them".
    logits = features @ HEAD["kind_weights"] + HEAD["kind_bias"]
    kinds = int(HEAD["kind_of"].max()) + 1
    fruit = np.exp((logits[:kinds] - logits[:kinds].max()) / HEAD["temperature"])
    probabilities = (fruit / fruit.sum())[HEAD["kind_of"]]
    # How fresh: the share of rotten, past its best and fresh, by two thresholds on one scale.
    if "freshness_weights" in HEAD:
        temperature, _, fresh_from = HEAD["freshness_scale"]
        logit = (features @ HEAD["freshness_weights"] + HEAD["freshness_bias"])[0] / temperature
        fresh = min(sigmoid(logit - np.log(fresh_from / (1 - fresh_from))), sigmoid(logit))
        levels = np.array([sigmoid(-logit), sigmoid(logit) - fresh, fresh])
        probabilities = probabilities * (levels @ HEAD["parts"])

    # Whether it is any of them: a distance, and the odds of "none of them".
    direction = features / np.linalg.norm(features)
    projected = direction @ (HEAD["ood_projection"] * HEAD["ood_scale"])
    unusual = MODEL["distance_weight"] * ((projected - HEAD["ood_means"]) ** 2).sum(axis=1).min()
    if len(logits) > kinds:
        unusual += logits[kinds] - np.log(np.exp(logits[:kinds]).sum())
    of_class = dict(zip(MODEL["classes"], probabilities.tolist(), strict=True))
    best = MODEL["classes"][int(probabilities.argmax())]
    graded = {name: of_class[name] for name in MODEL["freshness"]}
    fresh = sum(p for name, p in graded.items() if MODEL["freshness"][name] == "fresh")
    score = fresh / sum(graded.values()) if graded else None
    return {
        "predicted_class": best,
        "probabilities": of_class,
        "freshness_score": score,
        "freshness_level": level(score, best) if best in graded else None,
        "recognised": bool(unusual <= HEAD["ood_threshold"]),
    }


if __name__ == "__main__":
    for photo in sys.argv[1 + USES_ONNX :]:
        print(json.dumps({"photo": photo, **grade(photo)}))
