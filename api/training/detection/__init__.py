"""Training of the detector: scenes with boxes, targets, network and export."""
