"""The inference and retraining service of Ripeline."""

__version__ = "0.2.0"
