"""Measurements: one command (`python -m benchmarks`), one table, one picture."""
