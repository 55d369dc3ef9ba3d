"""A filter of system calls for isolated processes (seccomp): no socket, no other program, no look at other processes.

Calls that decoding never makes fail with EPERM. Numbers are those of Linux's tables for each processor; on another
processor, or where the kernel refuses a filter, the limits of the kernel are all that there is.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct

_SET_FILTER, _ALL_THREADS = 1, 1
"""The operation and the flag of the call `seccomp`."""
_SECCOMP = {"x86_64": 317, "aarch64": 277}
"""The number of that call."""
_LOAD, _EQUAL, _GREATER, _RETURN = 0x20, 0x15, 0x35, 0x06
"""Instructions of BPF on 32-bit words: load from the call's description, jump if equal or not below, return."""
_NUMBER_AT, _PROCESSOR_AT = 0, 4
_ALLOW, _FAIL = 0x7FFF0000, 0x00050000 | errno.EPERM
_OTHER_TABLE = 0x40000000
"""x86-64 has a second table of calls from here on, which nothing here uses."""
_PROCESSORS = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_CALLS = {
    "socket": (41, 198),
    "connect": (42, 203),
    "execve": (59, 221),
    "kill": (62, 129),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "execveat": (322, 281),
    "pidfd_send_signal": (424, 424),
    "io_uring_setup": (425, 425),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
}
"""On x86_64 and on aarch64."""


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def filter_calls() -> bool:
    """Filter the calls of all threads of this process from now on, and return whether the kernel does.

    The process must have given up gaining privileges.
    """
    machine = os.uname().machine
    if machine not in _PROCESSORS:
        return False
    content = _program(machine)
    program = _Program(len(content) // 8, content)
    call = ctypes.CDLL(None).syscall
    return bool(call(_SECCOMP[machine], _SET_FILTER, _ALL_THREADS, ctypes.byref(program)) == 0)


def _program(machine: str) -> bytes:
    numbers = [call[list(_PROCESSORS).index(machine)] for call in _CALLS.values()]
    instructions = [
        (_LOAD, 0, 0, _PROCESSOR_AT),
        (_EQUAL, 1, 0, _PROCESSORS[machine]),
        (_RETURN, 0, 0, _FAIL),
        (_LOAD, 0, 0, _NUMBER_AT),
        (_GREATER, len(numbers) + 1, 0, _OTHER_TABLE),
        # Each that is equal jumps over the rest and the permission.
        *((_EQUAL, len(numbers) - at, 0, number) for at, number in enumerate(numbers)),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _FAIL),
    ]
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in instructions)
