"""What the spine costs: measured end to end against a plain loop, and the core alone."""
