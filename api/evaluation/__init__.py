"""How good a grader is: figures, the data behind them, and drawings of both."""
