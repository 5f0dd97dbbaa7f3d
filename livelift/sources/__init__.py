"""Sources: rows of files, logs and databases, sent onto the topics as events by a mapping (docs/guides/sources.md)."""
