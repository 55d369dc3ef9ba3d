"""Filters the system calls of isolated processes by seccomp: no sockets, no other program, no changes of files, no
access to other processes.

Calls that decoding never makes fail with EPERM. The numbers are those of Linux's tables for each processor. On another
processor, or where the kernel refuses a filter, only the resource limits apply.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct

_SET_FILTER, _ALL_THREADS = 1, 1
"""The operation and the flag of the call `seccomp`."""
_SECCOMP = {"x86_64": 317, "aarch64": 277}
"""The number of the system call `seccomp`."""
_LOAD, _EQUAL, _GREATER, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
"""Instructions of BPF on 32-bit words: load from the call's description, jump if equal, not below, or if a bit is set
in both, return."""
_NUMBER_AT, _PROCESSOR_AT, _ARGUMENTS_AT = 0, 4, 16
_Instruction = tuple[int, int, int, int]
"""The operation, how many instructions to skip if its condition holds and if it does not, and a value."""
_ALLOW, _FAIL = 0x7FFF0000, 0x00050000 | errno.EPERM
_OTHER_TABLE = 0x40000000
"""x86-64 has a second table of calls from here on, which nothing here uses."""
_PROCESSORS = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_CALLS = {
    "socket": (41, 198),
    "connect": (42, 203),
    "execve": (59, 221),
    "kill": (62, 129),
    "truncate": (76, 45),
    "rename": (82, None),
    "mkdir": (83, None),
    "rmdir": (84, None),
    "creat": (85, None),
    "link": (86, None),
    "unlink": (87, None),
    "symlink": (88, None),
    "chmod": (90, None),
    "fchmod": (91, 52),
    "chown": (92, None),
    "fchown": (93, 55),
    "lchown": (94, None),
    "ptrace": (101, 117),
    "rt_sigqueueinfo": (129, 138),
    "mknod": (133, None),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "tkill": (200, 130),
    "mkdirat": (258, 34),
    "mknodat": (259, 33),
    "fchownat": (260, 54),
    "unlinkat": (263, 35),
    "renameat": (264, 38),
    "linkat": (265, 37),
    "symlinkat": (266, 36),
    "fchmodat": (268, 53),
    "unshare": (272, 97),
    "utimensat": (280, 88),
    "rt_tgsigqueueinfo": (297, 240),
    "open_by_handle_at": (304, 265),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "renameat2": (316, 276),
    "bpf": (321, 280),
    "execveat": (322, 281),
    "pidfd_send_signal": (424, 424),
    "io_uring_setup": (425, 425),
    "pidfd_open": (434, 434),
    "openat2": (437, 437),
    "pidfd_getfd": (438, 438),
    "fchmodat2": (452, 452),
}
"""The numbers of the refused calls on x86_64 and on aarch64, where the older ones do not exist."""
_OPEN = {"x86_64": (2, 257), "aarch64": (None, 56)}
"""`open` and `openat`; their flags are the second and the third argument."""
_CHANGES = 0o1 | 0o2 | 0o100 | 0o1000 | 0o20000000
"""Flags that open a file to write it, or that create or empty one: O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, O_TMPFILE."""
_SIGNAL_THREAD, _SET_LIMIT = {"x86_64": 234, "aarch64": 131}, {"x86_64": 302, "aarch64": 261}
"""`tgkill`, which `abort` calls, and `prlimit64`; the first argument of both is a process."""


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def filter_calls() -> bool:
    """Filter the calls of all threads of this process from now on, and return whether the kernel does so.

    The process must have set PR_SET_NO_NEW_PRIVS before.
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
    known = [number for number in numbers if number is not None]
    open_, openat = _OPEN[machine]
    instructions = [
        (_LOAD, 0, 0, _PROCESSOR_AT),
        (_EQUAL, 1, 0, _PROCESSORS[machine]),
        (_RETURN, 0, 0, _FAIL),
        (_LOAD, 0, 0, _NUMBER_AT),
        (_GREATER, 0, 1, _OTHER_TABLE),
        (_RETURN, 0, 0, _FAIL),
        *(_decided_by(open_, 1, _ANY_BIT, _CHANGES, (_FAIL, _ALLOW)) if open_ is not None else ()),
        *_decided_by(openat, 2, _ANY_BIT, _CHANGES, (_FAIL, _ALLOW)),
        *_decided_by(_SIGNAL_THREAD[machine], 0, _EQUAL, os.getpid(), (_ALLOW, _FAIL)),
        *_decided_by(_SET_LIMIT[machine], 0, _EQUAL, 0, (_ALLOW, _FAIL)),
        # Each comparison that is equal skips the others and the instruction that allows the call.
        *((_EQUAL, len(known) - at, 0, number) for at, number in enumerate(known)),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _FAIL),
    ]
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in instructions)


def _decided_by(number: int, argument: int, test: int, value: int, results: tuple[int, int]) -> list[_Instruction]:
    """Return instructions that decide about one call by a test of the lower half of an argument.

    `results` are the decisions where the test holds and where it does not. For any other call, the program continues
    after these instructions, with the number of the call still loaded.
    """
    return [
        (_EQUAL, 0, 4, number),
        (_LOAD, 0, 0, _ARGUMENTS_AT + 8 * argument),
        (test, 0, 1, value),
        (_RETURN, 0, 0, results[0]),
        (_RETURN, 0, 0, results[1]),
    ]
