"""Learning the expert: it grades by the texture of skin what looks like the class folders.

What the middle of the network sees of skin tells more of photographs like those that it has learned
from, and misleads elsewhere: in the light of a kitchen it calls fresh fruit rotten (docs/LOG.md).
So a gate learns to tell such photographs from all others, and the expert is asked about them alone.
"""

import numpy as np
from numpy.typing import NDArray

from api.predict.head import Linear
from api.training.calibrate import fit_temperature
from api.training.head import fit_head

# Penalties on standardised features.
GATE_L2 = 1e-2
CLASSIFIER_L2 = 1e-3
# A photograph says how sure the expert may be where the gate is at least so far open for it.
CONCERNED = 0.5
# What a photograph that the gate is closed for counts, so that there is something to learn from
# where it is closed for all.
LEAST = 1e-6


def fit_gate(alike: NDArray[np.float32], elsewhere: NDArray[np.float32]) -> Linear:
    """A gate for `networks.gate`, by the textures [n, channels] of photographs of the class folders
    and [m, channels] of others. Both kinds have the same say."""
    kind = np.repeat([1, 0], [len(alike), len(elsewhere)])
    counts = np.array([len(elsewhere), len(alike)])
    return fit_head(
        np.concatenate([alike, elsewhere]),
        np.eye(2, dtype=np.float32)[kind],
        (1 / counts[kind]).astype(np.float32),
        GATE_L2,
    )


def fit_classifier(
    opening: NDArray[np.float32],
    texture: NDArray[np.float32],
    targets: NDArray[np.float32],
    weights: NDArray[np.float32],
    around: Linear | None = None,
) -> Linear:
    """The classifier of an `Expert`: it learns of each photograph as far as the gate is open.

    As `fit_head`; `texture` float32 [n, channels], `opening` float32 [n].
    """
    return fit_head(texture, targets, weights * np.maximum(opening, LEAST), CLASSIFIER_L2, around)


def fit_own_temperature(
    logits: NDArray[np.float32], labels: NDArray[np.int64], opening: NDArray[np.float32]
) -> float:
    """The temperature of an `Expert` by held-out logits [n, classes] and labels [n].

    `opening` [n] is how far the gate is open for each; where it is open for none, all count.
    """
    concerned = opening >= CONCERNED
    if not concerned.any():
        concerned[:] = True
    return fit_temperature(logits[concerned], labels[concerned])
