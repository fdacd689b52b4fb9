"""The domain: pure folds, windows, scores and rules. No clock, no chance, no input or output."""
