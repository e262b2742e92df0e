"""What the long-running commands share: stopping politely, dying with their parent."""

from __future__ import annotations

import ctypes
import gc
import logging
import os
import signal
import sys
import threading

__all__ = ["PARENT_VARIABLE", "prepare_process", "settle_memory", "stop_event"]

PARENT_VARIABLE = "VERMILION_PARENT"  # process id of the `up` that started this process
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
# A thread back from the disk waits this long for one that computes; the disk is asked often.
_SWITCH_SECONDS = 0.001
_NEW_OBJECTS = 20_000  # between two looks for cycles; a request makes some hundred objects


def prepare_process() -> None:
    """Log warnings as lines, and end when the `up` that started this process is gone."""
    sys.setswitchinterval(_SWITCH_SECONDS)
    logging.basicConfig(
        level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    parent = os.environ.get(PARENT_VARIABLE, "")
    if not parent.isdigit():
        return
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
    if os.getppid() != int(parent):  # it died before the call
        os.kill(os.getpid(), signal.SIGTERM)


def settle_memory() -> None:
    """Let the garbage collector pass over what was loaded so far: it stays to the end.

    Otherwise everybody waits for 60 ms each second while the modules of a
    hundred libraries are looked through.
    """
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS)


def stop_event() -> threading.Event:
    """Return an event that is set by SIGTERM, and by SIGINT unless `up` takes care of it."""
    event = threading.Event()

    def stop(_signal: int, _frame: object) -> None:
        event.set()

    signal.signal(signal.SIGTERM, stop)
    if PARENT_VARIABLE in os.environ:
        # Ctrl-C reaches the whole group; `up` stops its children in order.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    else:
        signal.signal(signal.SIGINT, stop)
    return event
