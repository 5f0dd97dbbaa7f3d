"""Inference from sums: what an experiment's exact sums say, and how surely. Knows no row, event or plan."""
