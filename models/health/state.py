"""A model as data."""

from typing import Any

State = dict[str, Any]
"""Numbers, strings, lists and dictionaries of them: what JSON can hold."""
