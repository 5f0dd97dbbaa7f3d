"""The real data that lies beside the project: read only where it is, and never skipped unnoticed where it is there.

In CI a test that was skipped fails the run (tests/conftest.py), but for a reason that names ../shared/data where that
folder does not exist; so every such reason is made here.
"""

from pathlib import Path

import pytest

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


def needs(name: str) -> pytest.MarkDecorator:
    """Skips a test, saying why, where a folder of the data is not on this machine."""
    return pytest.mark.skipif(not (DATA / name).is_dir(), reason=f"../shared/data/{name} is not on this machine")
