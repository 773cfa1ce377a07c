"""The live camera: its part in the browser, and the answers to its frames."""
