"""A filter in the kernel that leaves a process what reading a document needs: memory, threads, files to read.

Refused with EPERM: new processes and programs, sockets, every way of writing to the file system, signals to other
processes, looking into them or changing their limits, memory that no limit counts, and the calls that kernel exploits
are made of. A list of what is refused rather than of what is allowed: allocators and numeric libraries differ from
machine to machine, and a call they need must not kill every reading. Calls of kernels newer than this list are unknown
to a worker. Namespaces (see `sandbox`) stand behind it, and root's capabilities are given up before it.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass

_NO_NEW_PRIVILEGES, _SET_SECCOMP, _MODE_FILTER = 38, 22, 2
_LOAD, _EQUAL, _GREATER_EQUAL, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _REFUSE, _UNKNOWN, _KILL = 0x7FFF0000, 0x00050000 | errno.EPERM, 0x00050000 | errno.ENOSYS, 0x80000000
_NUMBER, _ARCHITECTURE, _FIRST, _SECOND, _THIRD = 0, 4, 16, 24, 32
_CLONE_THREAD = 0x00010000
# A pipe's owner gets any signal asked for when something is written to it.
_OWNERS = (8, 10, 15)  # F_SETOWN, F_SETSIG, F_SETOWN_EX
_ODD_CONTROLS = (0x8901, 0x8902, 0x5412, 0x541C)  # FIOSETOWN, SIOCSPGRP, TIOCSTI, TIOCLINUX
# Above 424 all architectures number alike; 463 came with Linux 6.13.
_NEWER = 463
_CAPABILITY_VERSION = 0x20080522
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
# x32 calls of an x86-64 kernel: the same calls by other numbers.
_X32 = 0x40000000


@dataclass(frozen=True, slots=True)
class _Calls:
    """System call numbers of one architecture, from the kernel's own tables; they never change."""

    architecture: int
    clone: int
    clone3: int
    open: tuple[tuple[int, int], ...]  # call, and where its flags stand
    fcntl: int
    ioctl: int
    prlimit: int
    signal_process: tuple[int, ...]
    refused: tuple[int, ...]


_X86 = _Calls(
    architecture=0xC000003E,
    clone=56,
    clone3=435,
    open=((2, _SECOND), (257, _THIRD)),
    fcntl=72,
    ioctl=16,
    prlimit=302,
    signal_process=(62, 234),  # kill, tgkill
    refused=(
        200,  # tkill
        *(41, 42, 43, 49, 50, 53, 288),  # socket, connect, accept, bind, listen, socketpair, accept4
        *(57, 58, 59, 322),  # fork, vfork, execve, execveat
        *(101, 310, 311, 312),  # ptrace, process_vm_readv, process_vm_writev, kcmp
        *(76, 77, 82, 83, 84, 85, 86, 87, 88, 90, 91, 92, 93, 94, 133),  # truncate … chown, mknod: paths changed
        *(258, 259, 260, 263, 264, 265, 266, 268, 316, 437, 452),  # the same, …at; renameat2, openat2, fchmodat2
        *(129, 424, 297),  # rt_sigqueueinfo, pidfd_send_signal, rt_tgsigqueueinfo
        *(155, 161, 165, 166, 272, 308, 428, 429, 430, 431, 432, 442),  # pivot_root, chroot, mount …, unshare, setns
        *(246, 320, 321, 298, 323, 425, 426, 427),  # kexec, bpf, perf_event_open, userfaultfd, io_uring
        *(175, 176, 313, 248, 249, 250, 169),  # modules, keys, reboot
        *(188, 189, 190, 197, 198, 199, 132, 235, 261, 280),  # extended attributes, times
        *(29, 64, 68, 240),  # shmget, semget, msgget, mq_open
        *(434, 438, 440, 448, 304),  # pidfd_open, pidfd_getfd, process_madvise, process_mrelease, open_by_handle_at
        *(141, 142, 144, 203, 314, 251, 256, 279),  # priorities, schedulers and memory nodes, of others too
    ),
)
_ARM = _Calls(
    architecture=0xC00000B7,
    clone=220,
    clone3=435,
    open=((56, _THIRD),),
    fcntl=25,
    ioctl=29,
    prlimit=261,
    signal_process=(129, 131),
    refused=(
        130,
        *(198, 199, 200, 201, 202, 203, 242),
        *(221, 281),
        *(117, 270, 271, 272),
        *(33, 34, 35, 36, 37, 38, 45, 46, 52, 53, 54, 55, 276, 437, 452),
        *(138, 424, 240),
        *(39, 40, 41, 51, 97, 268, 428, 429, 430, 431, 432, 442),
        *(104, 294, 280, 241, 282, 425, 426, 427),
        *(105, 106, 273, 217, 218, 219, 142),
        *(5, 6, 7, 14, 15, 16, 88),
        *(194, 190, 186, 180),
        *(434, 438, 440, 448, 265),
        *(140, 118, 119, 122, 274, 30, 238, 239),
    ),
)


def confine() -> str:
    """Put the filter on this process for good; returns "" or why it could not be."""
    if sys.platform != "linux":
        return f"no seccomp on {sys.platform}"
    calls = {"x86_64": _X86, "aarch64": _ARM}.get(platform.machine())
    if calls is None or struct.calcsize("P") != 8:
        return f"no filter for {platform.machine()}"
    program = b"".join(_program(calls, os.getpid()))
    libc = ctypes.CDLL(None, use_errno=True)
    # Effective, permitted and inheritable, in two halves: none. Only root has any.
    if libc.capset(struct.pack("=Ii", _CAPABILITY_VERSION, 0), bytes(24)):
        return f"capset: {os.strerror(ctypes.get_errno())}"
    buffer = ctypes.create_string_buffer(program, len(program))
    described = struct.pack("@HxxxxxxQ", len(program) // 8, ctypes.addressof(buffer))
    holder = ctypes.create_string_buffer(described, len(described))
    if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0):
        return f"prctl: {os.strerror(ctypes.get_errno())}"
    if libc.prctl(_SET_SECCOMP, _MODE_FILTER, ctypes.byref(holder), 0, 0):
        return f"seccomp: {os.strerror(ctypes.get_errno())}"
    return ""


def _program(calls: _Calls, own: int) -> Iterator[bytes]:
    """Classic BPF, eight bytes an instruction."""
    yield _do(_LOAD, _ARCHITECTURE)
    yield _do(_EQUAL, calls.architecture, 1, 0)
    yield _do(_RETURN, _KILL)
    yield _do(_LOAD, _NUMBER)
    yield _do(_GREATER_EQUAL, _X32, 0, 1)
    yield _do(_RETURN, _REFUSE)
    yield _do(_GREATER_EQUAL, _NEWER, 0, 1)
    yield _do(_RETURN, _UNKNOWN)
    for number in calls.refused:
        yield _do(_EQUAL, number, 0, 1)
        yield _do(_RETURN, _REFUSE)
    # glibc falls back from clone3, whose flags a filter cannot see, to clone.
    yield _do(_EQUAL, calls.clone3, 0, 1)
    yield _do(_RETURN, _UNKNOWN)
    yield from _when(calls.clone, _FIRST, (_ANY_BIT, _CLONE_THREAD), _ALLOW, _REFUSE)
    for number, flags in calls.open:
        yield from _when(number, flags, (_ANY_BIT, _WRITING), _REFUSE, _ALLOW)
    yield from _unless(calls.fcntl, _OWNERS)
    yield from _unless(calls.ioctl, _ODD_CONTROLS)
    yield from _when(calls.prlimit, _FIRST, (_EQUAL, 0), _ALLOW, _REFUSE)
    for number in calls.signal_process:
        yield from _when(number, _FIRST, (_EQUAL, own), _ALLOW, _REFUSE)
    yield _do(_RETURN, _ALLOW)


def _do(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
    """One instruction; `yes` and `no` are how many a test skips."""
    return struct.pack("=HBBI", code, yes, no, value)


def _when(number: int, argument: int, test: tuple[int, int], holds: int, fails: int) -> Iterator[bytes]:
    """The answer to one call by a test of one of its arguments."""
    yield _do(_EQUAL, number, 0, 4)
    yield _do(_LOAD, argument)
    yield _do(*test, 0, 1)
    yield _do(_RETURN, holds)
    yield _do(_RETURN, fails)


def _unless(number: int, values: tuple[int, ...]) -> Iterator[bytes]:
    """One call is refused where its second argument is one of these."""
    yield _do(_EQUAL, number, 0, 2 * len(values) + 2)
    yield _do(_LOAD, _SECOND)
    for value in values:
        yield _do(_EQUAL, value, 0, 1)
        yield _do(_RETURN, _REFUSE)
    yield _do(_RETURN, _ALLOW)
