"""Leaving at once: Kafka still has what was not acknowledged, so stopping is always safe, and going on is not."""

import os
import sys
from collections.abc import Awaitable, Callable
from typing import NoReturn, TypeVar

import structlog

CRASHED = 70
"""Exit code of a worker that stopped rather than go on with doubtful state (EX_SOFTWARE)."""


def leave(why: str) -> NoReturn:
    """End the process now. An exception would not do: Faust acknowledges the message of an agent that raises."""
    structlog.get_logger().critical("worker stops; what it had not acknowledged will be read again", why=why)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(CRASHED)


T = TypeVar("T")


def or_leave(step: Callable[[], T]) -> T:
    """Do one step of an agent; any failure ends the process before anything is acknowledged."""
    try:
        return step()
    except Exception as error:
        _leave_with(error)


async def awaited_or_leave(step: Awaitable[T]) -> T:
    """The same of a step that takes its turns."""
    try:
        return await step
    except Exception as error:
        _leave_with(error)


def _leave_with(error: Exception) -> NoReturn:
    structlog.get_logger().exception("step failed")
    leave(f"{type(error).__name__}: {error}")
