"""The readers: what is kept in Redis and in the topics, read for people and programs."""
