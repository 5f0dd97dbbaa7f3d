"""What is published of an experiment: its sums as figures, and the figures as words and a verdict."""
