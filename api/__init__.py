"""The inference and retraining service of Ripeline."""

__version__ = "0.1.0"
