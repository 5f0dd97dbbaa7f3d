"""One Kafka and one Redis for the whole session; each test has topics, groups and keys of its own in them.

`make test` has three processes share the files of tests (pytest-xdist), each a session of its own: what two of them wait
for workers, with a Kafka and a Redis each, the third computes.
"""

import gc
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import pytest
from confluent_kafka.admin import AdminClient
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

from livelift.local.browser import NoBrowser, browser
from livelift.local.jars import WrongJars
from livelift.local.kafka import LocalKafka
from livelift.local.process import NotStarted
from livelift.local.redis import LocalRedis
from livelift.local.topics import create_topics, wanted
from livelift.settings import Settings

IN_CI = os.environ.get("CI", "").lower() in {"1", "true", "yes"}
WITH_SERVICES = ("broker", "browser", "contract")
STOREYS = (*WITH_SERVICES, "shell", "core")
"""In the order in which they run: long files first, so that no process has one to itself in the end."""
DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
KEPT = {"LIVELIFT_JAVA", "LIVELIFT_BROWSER"}

# -- services --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Services:
    """Addresses of the session's Kafka and Redis."""

    kafka: str
    redis: str


@pytest.fixture(scope="session", autouse=True)
def _no_settings_from_outside() -> Iterator[None]:
    """What this shell or folder says about an installation is not for the tests, nor for the workers they start."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("LIVELIFT_") and name not in KEPT]:
            patch.delenv(name)
        patch.setenv("LIVELIFT_SETTINGS", os.devnull)
        patch.setenv("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1")  # no Kafka here lives for as long as C2 would take
        yield


@pytest.fixture(scope="session", autouse=True)
def _interruptible() -> None:
    """Started in the background by a script we ignore Ctrl-C, and so would all that tests start and interrupt."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def services(_no_settings_from_outside: None) -> Iterator[Services]:
    """Kafka and Redis on free ports of loopback. Where they cannot run, tests skip; in CI that is a failure."""
    with ExitStack() as exits:
        folder = Path(exits.enter_context(TemporaryDirectory(prefix="livelift-tests-")))
        kafka, redis = LocalKafka(folder / "kafka"), LocalRedis(folder / "redis")
        try:
            for service in (kafka, redis):
                exits.callback(service.stop)
                service.start()
            for service in (kafka, redis):
                service.wait_ready()
        except (NotStarted, WrongJars, OSError, ImportError) as error:
            if IN_CI:
                raise
            pytest.skip(f"Kafka and Redis cannot run here: {error}")
        yield Services(kafka.address, redis.address)
        gc.collect()  # clients that nobody holds any more end before the services do, and do not complain of it
        if kafka.child is not None:
            kafka.child.process.kill()  # it would flush and close the logs of every test first: nobody reads them again


@contextmanager
def installations(services: Services, folder: Path) -> Iterator[Callable[..., Settings]]:
    """Makes settings with topics, consumer groups and Redis keys that no other test uses; removes the topics after."""
    made: list[Settings] = []

    def make(**given: Any) -> Settings:
        name = f"t{uuid4().hex[:8]}"
        defaults = {"clock": "log", "partitions": 3, "config": folder / "absent.toml"}
        settings = Settings(
            **{**defaults, **given}, kafka=services.kafka, redis=services.redis, namespace=f"{name}-",
            redis_prefix=f"{name}:", data_dir=folder / name,
        )  # fmt: skip
        create_topics(settings)
        made.append(settings)
        return settings

    yield make
    for settings in made:
        AdminClient(settings.confluent()).delete_topics(list(wanted(settings)), operation_timeout=30)


@pytest.fixture
def namespace(services: Services, tmp_path: Path) -> Iterator[Callable[..., Settings]]:
    """Installations of one test's own."""
    with installations(services, tmp_path) as make:
        yield make


@pytest.fixture(scope="module")
def module_namespace(services: Services, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Settings]]:
    """Installations that the tests of one module share."""
    with installations(services, tmp_path_factory.mktemp("module")) as make:
        yield make


# -- a browser --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def chromium(_no_settings_from_outside: None) -> Iterator[Any]:
    """Playwright's Browser. Where there is none, tests skip; in CI that is a failure.

    For no longer than a module: while it is open, tests that run a loop of asyncio's own cannot run in this thread.
    """
    with ExitStack() as exits:
        try:
            launched = exits.enter_context(browser())
        except NoBrowser as error:
            if IN_CI:
                raise
            pytest.skip(str(error))
        yield launched


# -- side by side ----------------------------------------------------------------------------------------------------


def storey_of(nodeid: str) -> str:
    """The folder of tests that a test lies in; "" beside them."""
    parts = Path(nodeid.partition("::")[0]).parts
    return parts[1] if len(parts) > 2 and parts[0] == "tests" else ""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: (*STOREYS, "").index(storey_of(item.nodeid)))


class Shares(LoadScopeScheduling):
    """Gives every process one file after the other; to the last of several none that needs Kafka and Redis."""

    def _assign_work_unit(self, node: WorkerController) -> None:
        if len(self.nodes) > 1 and node is self.nodes[-1]:
            computes = next((file for file in self.workqueue if storey_of(file) not in WITH_SERVICES), None)
            if computes is None:
                node.shutdown()
                return
            self.workqueue.move_to_end(computes, last=False)
        super()._assign_work_unit(node)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Shares:
    config.option.loadscopereorder = False  # the number of its tests says nothing of how long a file takes
    return Shares(config, log)


# -- nothing may be left out unnoticed -------------------------------------------------------------------------------

ran: Counter[str] = Counter()
skipped: list[str] = []


def is_excused(reason: str) -> bool:
    """Whether a test may be skipped for this in CI, too: data that is not there at all, another language's tools."""
    return not DATA.is_dir() if "shared/data" in reason else "not on this machine" in reason


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Count, per storey, the tests that really ran; note those skipped without an excuse."""
    if report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if not is_excused(reason):
            skipped.append(f"{report.nodeid}: {reason}")
    elif report.when == "call":
        ran[storey_of(report.nodeid)] += 1


def left_out(config: pytest.Config) -> list[str]:
    """What a complete run in CI should have tested and did not."""
    option, one_of_several = config.option, hasattr(config, "workerinput")
    complete = config.args_source is pytest.Config.ArgsSource.TESTPATHS and not (option.keyword or option.markexpr)
    if not IN_CI or one_of_several or option.collectonly or not complete:
        return []
    return [f"tests/{storey}: no test ran" for storey in STOREYS if not ran[storey]] + skipped


def pytest_sessionfinish(session: pytest.Session) -> None:
    if left_out(session.config) and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    for line in left_out(config):
        terminalreporter.write_line(f"LEFT OUT {line}", red=True)
