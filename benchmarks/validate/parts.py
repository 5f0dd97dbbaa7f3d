"""The parts of `make validate`, in the order of the page."""

from benchmarks.validate import complier, exercise, nothing, power, queue, real

PARTS = [nothing.PART, complier.PART, power.PART, queue.PART, exercise.PART, real.PART]
