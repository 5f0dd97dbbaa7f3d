"""Nobody overwrites the new owner: a worker that its group has not heard from in time sends nothing any more."""

from collections.abc import Iterator
from contextlib import closing
from socket import socket

import pytest

from models.messages import Output
from streams.lease import MARGIN, Lease, LeaseLost
from streams.sender import CHECK_EVERY, DeliveryFailed, Sender

pytestmark = pytest.mark.shell

SESSION = 10.0


class Clock:
    """A clock that a test sets."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def lease(clock: Clock) -> Lease:
    return Lease(SESSION, clock)


# -- the lease -----------------------------------------------------------------------------------------------------


def test_before_the_first_heartbeat_nothing_may_be_sent(lease: Lease) -> None:
    with pytest.raises(LeaseLost):
        lease.check()


def test_it_is_held_from_the_heartbeats_sending_for_the_session_less_a_margin(lease: Lease, clock: Clock) -> None:
    lease.renew(asked_at=clock.now - 3)
    clock.now += SESSION * (1 - MARGIN) - 3
    lease.check()
    clock.now += 0.001
    with pytest.raises(LeaseLost):
        lease.check()


def test_an_answer_that_was_long_on_its_way_does_not_shorten_it(lease: Lease, clock: Clock) -> None:
    lease.renew(asked_at=clock.now)
    lease.renew(asked_at=clock.now - 5)
    clock.now += SESSION * (1 - MARGIN)
    lease.check()


def test_a_worker_that_wakes_from_a_pause_finds_it_gone_and_may_get_it_again(lease: Lease, clock: Clock) -> None:
    lease.renew(asked_at=clock.now)
    clock.now += 3600
    with pytest.raises(LeaseLost, match="3592"):
        lease.check()
    lease.renew(asked_at=clock.now)
    lease.check()


# -- the sender ----------------------------------------------------------------------------------------------------


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address on loopback that answers nothing."""
    with closing(socket()) as listening:
        listening.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{listening.getsockname()[1]}"


def sender(address: str, lease: Lease, timeout: float = 30) -> Sender:
    config = {"bootstrap.servers": address, "log_level": 0, "error_cb": lambda error: None}
    return Sender(config, lambda topic: f"test-{topic}", lease.check, timeout)


def outputs(count: int) -> list[Output]:
    return [Output("account-scores", 0, b"acme", str(number).encode()) for number in range(count)]


def test_when_the_lease_is_lost_nothing_that_was_queued_is_sent(nobody: str, lease: Lease, clock: Clock) -> None:
    lease.renew(clock.now)
    sending = sender(nobody, lease)
    sending.send(outputs(3))
    sending.write("test-rows", 0, [(b"aacme", b"\x01")])
    clock.now += SESSION
    with pytest.raises(LeaseLost):
        sending.flush()
    lease.renew(clock.now)
    with pytest.raises(DeliveryFailed, match="Purged in queue"):
        sending.flush()


def test_in_a_long_batch_the_lease_is_looked_at_on_the_way(nobody: str, lease: Lease, clock: Clock) -> None:
    lease.renew(clock.now)
    sending = sender(nobody, lease)

    taken = []

    def growing_late() -> Iterator[Output]:
        for one in outputs(10 * CHECK_EVERY):
            clock.now += SESSION / CHECK_EVERY
            taken.append(one)
            yield one

    with pytest.raises(LeaseLost):
        sending.send(growing_late())
    assert len(taken) <= 2 * CHECK_EVERY


def test_rows_are_not_queued_without_the_lease(nobody: str, lease: Lease) -> None:
    with pytest.raises(LeaseLost):
        sender(nobody, lease).write("test-rows", 0, ((b"a%d" % n, b"") for n in range(10 * CHECK_EVERY)))


def test_what_kafka_did_not_take_is_an_error_and_not_a_success(nobody: str, lease: Lease, clock: Clock) -> None:
    """With nobody to answer, the messages time out; the flush says so, and the batch is not acknowledged."""
    lease.renew(clock.now)
    sending = sender(nobody, lease, timeout=1.2)
    sending.send(outputs(2))
    with pytest.raises(DeliveryFailed):
        sending.flush()
