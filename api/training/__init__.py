"""Training: values in, values out. The worker, the command line and the notebook call this."""
