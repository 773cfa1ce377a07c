"""The networks that can be trained: how they are built and where their weights come from."""
