"""`make validate`: how often the read-outs of an experiment are wrong, counted over experiments whose truth is known.

Thousands of simulated experiments are kept as arms of the same moments that one experiment is kept as, looked at after
every unit that matures, and read by the functions that the publisher reads with.
"""
