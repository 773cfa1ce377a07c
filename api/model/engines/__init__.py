"""Engines that run the graphs of a package: LiteRT everywhere, OpenVINO where it is faster."""
