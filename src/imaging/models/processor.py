"""What the processor can do that decides which model is the faster one."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

_CPUINFO = Path("/proc/cpuinfo")
_FEATURES = {"avx512_vnni", "avx_vnni", "asimddp", "i8mm"}
"""Linux's names of the instructions that multiply bytes and add the products: VNNI, and on arm64 dotprod and i8mm."""


def multiplies_bytes() -> bool:
    """Return whether the processor has instructions for models in eight bits; False where that is unknown.

    Without them such a model is hardly faster, and on x86 its sums saturate, which changes the mask.
    """
    if sys.platform == "darwin":
        # Every Apple processor of this architecture has dotprod.
        return platform.machine() == "arm64"
    try:
        lines = _CPUINFO.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return False
    # One line for each processor; a machine may have fast and slow ones.
    listed = [line.partition(":")[2].split() for line in lines if line.startswith(("flags", "Features"))]
    return bool(listed) and all(_FEATURES & set(each) for each in listed)
