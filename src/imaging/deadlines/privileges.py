"""Keeps isolated processes from reading other processes of the same user, beside the filter of system calls.

Without it, a file that takes over a decoder could read the secrets of the parent process from `/proc`.
"""

from __future__ import annotations

import ctypes

_DUMPABLE = 4
"""PR_SET_DUMPABLE, the option of prctl that decides whether others of the same user may read a process's memory."""
_VERSION = 0x20080522
"""The version of the structures of `capget` and `capset`."""
_PERMITTED = 1
"""The index of the permitted set among three of 32 bits each: effective, permitted and inheritable."""
_OVERRIDE_PERMISSIONS = 1 << 1
"""CAP_DAC_OVERRIDE. Trusted work may write compiled models into a folder of another user."""


def hide_memory() -> None:
    """Keep other processes of the same user from reading the memory and environment of this process and its forks."""
    ctypes.CDLL(None).prctl(_DUMPABLE, 0, 0, 0, 0)


def drop_capabilities() -> None:
    """Give up all capabilities of the superuser but one. A process cannot read one that has more capabilities.

    It holds for the calling thread and the threads that it starts.
    """
    libc = ctypes.CDLL(None)
    header = (ctypes.c_uint32 * 2)(_VERSION, 0)
    sets = (ctypes.c_uint32 * 6)()
    libc.capget(header, sets)
    left = sets[_PERMITTED] & _OVERRIDE_PERMISSIONS
    libc.capset(header, (ctypes.c_uint32 * 6)(left, left, 0, 0, 0, 0))
