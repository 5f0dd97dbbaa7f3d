"""Kafka, Redis and workers on this machine, for people who have no Docker: child processes under one folder."""
