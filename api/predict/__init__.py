"""Grading one photograph: decode, forward pass, head, answer. Never imports TensorFlow."""
