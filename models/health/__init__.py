"""Health scores that learn: how likely an account's event (churn, conversion, inactivity) is, and what makes it so.

A classifier turns an account's features into log odds and tells each feature's part of them; a calibration turns log
odds into a probability; drivers turn the parts into points that add up to the score. Everything here is pure: no I/O,
no clock, no chance that is not seeded. Equal histories give equal bytes.
"""
