"""What a worker has to import before it starts: nothing that takes long and that few of them come to use."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.shell
LATE = ("matplotlib", "pandas", "river.drift", "river.forest", "scipy.stats", "sklearn", "statsmodels")


@pytest.mark.parametrize("role", ["scorer", "learner", "publisher"])
def test_a_worker_imports_late_what_is_slow_to_import(role: str) -> None:
    code = f"import sys, livelift.cli, livelift.workers, streams.{role}; print(*sys.modules)"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    imported = set(ended.stdout.split())
    assert f"streams.{role}" in imported
    assert imported.isdisjoint(LATE)


def test_alerts_need_neither_faust_nor_statistics() -> None:
    code = "import sys, livelift.cli, livelift.alerting, consumers.alerts.loop; print(*sys.modules)"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    imported = set(ended.stdout.split())
    assert "consumers.alerts.loop" in imported
    assert imported.isdisjoint({*LATE, "faust", "scipy", "apprise"})
