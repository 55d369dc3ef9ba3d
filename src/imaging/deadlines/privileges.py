"""What keeps isolated processes from other processes of the same user, beside the filter of system calls.

Without this, whoever takes over a decoder reads the secrets of its parent from `/proc`.
"""

from __future__ import annotations

import ctypes

_DUMPABLE = 4
"""The option of Linux's prctl that says whether others of the same user may read a process's memory."""
_VERSION = 0x20080522
"""Of the structures of `capget` and `capset`."""
_PERMITTED = 1
"""The place of that set among the three of 32 bits each."""
_OVERRIDE_PERMISSIONS = 1 << 1
"""CAP_DAC_OVERRIDE. Work that is trusted may write compiled models into a folder of another user."""


def hide_memory() -> None:
    """Let no other process of the same user read this process's memory and environment, nor what it forks."""
    ctypes.CDLL(None).prctl(_DUMPABLE, 0, 0, 0, 0)


def drop_capabilities() -> None:
    """Give up all capabilities of the superuser but one. A process may not look into one that has more than itself.

    It holds for the calling thread and the threads that it starts.
    """
    libc = ctypes.CDLL(None)
    header = (ctypes.c_uint32 * 2)(_VERSION, 0)
    sets = (ctypes.c_uint32 * 6)()
    libc.capget(header, sets)
    left = sets[_PERMITTED] & _OVERRIDE_PERMISSIONS
    libc.capset(header, (ctypes.c_uint32 * 6)(left, left, 0, 0, 0, 0))
