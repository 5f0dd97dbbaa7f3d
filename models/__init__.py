"""The core: what livelift knows about customers, free of Kafka, Redis, clocks and files.

Everything here is synchronous and deterministic. Time is an argument (see `models.clock`); the same code runs in
the live workers, in `livelift replay`, and in the tests. The way of an event is told in `models.partition`.
"""
