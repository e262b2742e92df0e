"""Forks of a process that has everything imported, and nothing running."""

from __future__ import annotations

import os
import signal
import time
import traceback
from collections.abc import Callable

from crash.report import Report
from vermilion_ledger.errors import EvidenceError

__all__ = ["BROKE", "GAVE_UP", "HUNG", "fork", "kill", "wait"]

GAVE_UP = 3  # exit status of a fork that ended with an error of ours
BROKE = 4  # and with any other
HUNG = 124


def fork(action: Callable[[], None], report: Report) -> int:
    """Return the number of a process that does one thing; its report says why if it cannot."""
    child = os.fork()
    if child:
        return child
    status = BROKE
    try:
        action()
        status = 0
    except EvidenceError as exc:
        status = GAVE_UP
        report.tell("gave up", code=exc.code, message=exc.message)
    except BaseException:  # noqa: BLE001 -- a fork must not run what its parent would
        report.tell("broke", trace=traceback.format_exc()[-2000:])
    finally:
        os._exit(status)


def wait(child: int, *, seconds: float = 60.0) -> int:
    """Return the exit status of a child, or the negative signal that ended it.

    Counts the seconds it slept: a machine that was suspended has not waited.
    """
    slept, pause = 0.0, 0.0005
    while slept < seconds:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(pause)
        slept += pause
        pause = min(pause * 1.2, 0.005)
    kill(child)
    return HUNG


def kill(child: int) -> None:
    """End a child without a chance to clean up."""
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
