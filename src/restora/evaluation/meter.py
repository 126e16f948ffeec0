"""Meter: how long a call took, how much memory it held, and on what machine."""

import os
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch

T = TypeVar("T")

_STATUS = Path("/proc/self/status")
_CLEAR_REFS = Path("/proc/self/clear_refs")


@dataclass(frozen=True, slots=True)
class Cost:
    """What a call cost.

    Attributes:
        seconds: on the wall clock, the device's queue emptied.
        peak_mib: most memory held at one time during the call, in MiB: on a CUDA device that of its allocator, on a CPU
            that of the whole process; None where the system does not tell.
    """

    seconds: float
    peak_mib: float | None


def metered(call: Callable[[], T], device: torch.device) -> tuple[T, Cost]:
    """The result of ``call()`` and its cost."""
    _reset_peak(device)
    start = time.perf_counter()
    result = call()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    seconds = time.perf_counter() - start
    return result, Cost(seconds, _peak_mib(device))


def device_name(device: torch.device) -> str:
    """Kind and model, such as ``cpu (AMD EPYC 9B14, 2 threads)`` or ``cuda (NVIDIA H200)``."""
    if device.type == "cuda":
        return f"cuda ({torch.cuda.get_device_name(device)})"
    if device.type == "cpu":
        return f"cpu ({_processor()}, {torch.get_num_threads()} threads)"
    return device.type


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    for line in lines:
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            return value.strip()
    return platform.processor() or platform.machine()


def _reset_peak(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    elif os.access(_CLEAR_REFS, os.W_OK):
        try:
            # 5 resets the high-water mark of the resident size (Linux, proc(5)).
            _CLEAR_REFS.write_text("5", encoding="ascii")
        except OSError:
            return


def _peak_mib(device: torch.device) -> float | None:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    try:
        for line in _STATUS.read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    return _peak_since_start()


def _peak_since_start() -> float | None:
    """Where the high-water mark cannot be reset: that of the process's whole life; None on Windows."""
    if sys.platform == "win32":
        return None
    import resource  # noqa: PLC0415 (not on Windows)

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 1024)
