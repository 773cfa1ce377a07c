"""Where each stage of a run takes its progress."""

# From where to where, in percent, by mode and by the name that the stage tells of itself.
SPANS = {
    "fast": {
        "Looking at new photographs": (2.0, 50.0),
        "Learning": (50.0, 75.0),
        "Comparing with the champion": (75.0, 95.0),
        "Entering the candidate": (95.0, 99.0),
    },
    "full": {
        "Reading photographs": (0.0, 2.0),
        "Fetching photographs": (2.0, 3.0),
        "Looking at new photographs": (3.0, 4.0),
        "Embedding": (4.0, 8.0),
        "Fine-tuning": (8.0, 88.0),
        "Embedding what was learned from": (88.0, 90.0),
        "Embedding for the replay": (90.0, 93.0),
        "Embedding held-out files": (93.0, 95.0),
        "Comparing with the champion": (95.0, 98.0),
        "Entering the candidate": (98.0, 99.0),
    },
}
