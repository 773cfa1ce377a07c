"""The usual design: a FastAPI handler that calls `keras.Model.predict`.

The default model's architecture and input size, with random weights, which take the same time.
"""

import io

import keras
import numpy as np
from fastapi import FastAPI, UploadFile
from PIL import Image

from api.model.package import read_manifest
from api.settings import PROJECT
from api.training.backbones.architectures import build_backbone

manifest = read_manifest(PROJECT / "models" / "default")
SIZE = manifest.input_size
backbone = build_backbone(manifest.architecture, SIZE, "none")
pooled = keras.layers.GlobalAveragePooling2D()(backbone.output)
answer = keras.layers.Dense(len(manifest.classes), activation="softmax")(pooled)
model = keras.Model(backbone.input, answer)
model.predict(np.zeros((1, SIZE, SIZE, 3), np.uint8), verbose=0)
app = FastAPI()


@app.post("/predict")
async def predict(file: UploadFile) -> dict[str, object]:
    image = Image.open(io.BytesIO(await file.read())).convert("RGB").resize((SIZE, SIZE))
    probabilities = model.predict(np.asarray(image)[None], verbose=0)[0]
    best = int(probabilities.argmax())
    return {
        "predicted_class": manifest.classes[best],
        "confidence": float(probabilities[best]),
        "probabilities": dict(zip(manifest.classes, map(float, probabilities), strict=True)),
    }


@app.get("/health")
async def health() -> dict[str, str]:
    return {"status": "healthy"}


@app.get("/model-info")
async def model_info() -> dict[str, object]:
    return {"architecture": manifest.architecture, "classes": manifest.classes}
