"""Backbone architectures and their pretrained weights."""
