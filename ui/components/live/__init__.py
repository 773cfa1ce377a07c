"""The live camera: the part that runs in the browser, and the answers to its frames."""
