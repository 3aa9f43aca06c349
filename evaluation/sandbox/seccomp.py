"""The system calls a program may not make, as a filter for bubblewrap and as a profile for Docker and Podman."""

import ctypes
import errno
import json
import os
from ctypes.util import find_library
from functools import cache
from typing import Any

from cleaning.errors import FixfirstError

_DENIED = (
    # mounts and namespaces
    *("mount", "umount2", "pivot_root", "move_mount", "open_tree", "fsopen", "fsconfig", "fsmount", "fspick"),
    *("mount_setattr", "unshare", "setns", "chroot", "swapon", "swapoff", "quotactl", "quotactl_fd"),
    # other processes
    *("ptrace", "process_vm_readv", "process_vm_writev", "kcmp", "pidfd_getfd"),
    # the kernel, the clock and the machine
    *("kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module", "reboot", "syslog", "acct"),
    *("settimeofday", "clock_settime", "clock_adjtime", "adjtimex", "sethostname", "setdomainname", "vhangup"),
    *("iopl", "ioperm", "lookup_dcookie", "personality"),
    # large parts of the kernel that no ranking needs
    *("bpf", "userfaultfd", "perf_event_open", "add_key", "request_key", "keyctl", "io_uring_setup"),
    *("io_uring_enter", "io_uring_register", "open_by_handle_at", "fanotify_init"),
    # memory that outlives processes
    *("shmget", "msgget", "semget", "mq_open"),
    # more than its share of the processors
    *("sched_setaffinity", "sched_setscheduler", "sched_setattr"),
)
"""Refused with EPERM."""

_NEW_NAMESPACES = (0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000)
_LAST_FAMILY = 10  # AF_INET6
_OLD_FAMILIES = range(3, _LAST_FAMILY)  # between AF_INET and AF_INET6
_TERMINAL_INPUT = (0x5412, 0x541C)  # TIOCSTI, TIOCLINUX

_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_EQUAL, _GREATER, _MASKED = 4, 6, 7


class _Comparison(ctypes.Structure):
    """An argument's number, how it is compared, and with what; for _MASKED first the mask, then the value."""

    _fields_ = (
        ("argument", ctypes.c_uint),
        ("operator", ctypes.c_int),
        ("first", ctypes.c_uint64),
        ("second", ctypes.c_uint64),
    )


def rules() -> list[tuple[str, int, tuple[int, ...] | None]]:
    """The calls to refuse: name, error number, and for some calls a comparison (argument, operator, values…)."""
    found: list[tuple[str, int, tuple[int, ...] | None]] = [(name, errno.EPERM, None) for name in _DENIED]
    found.append(("clone3", errno.ENOSYS, None))  # its flags are out of a filter's sight; callers fall back to clone
    found += [("clone", errno.EPERM, (0, _MASKED, flag, flag)) for flag in _NEW_NAMESPACES]
    found.append(("socket", errno.EAFNOSUPPORT, (0, _GREATER, _LAST_FAMILY)))
    found += [("socket", errno.EAFNOSUPPORT, (0, _EQUAL, family)) for family in _OLD_FAMILIES]
    found += [("ioctl", errno.EPERM, (1, _MASKED, 0xFFFFFFFF, request)) for request in _TERMINAL_INPUT]
    return found


def profile() -> str:
    """The rules as the JSON that Docker and Podman take."""
    operators = {_EQUAL: "SCMP_CMP_EQ", _GREATER: "SCMP_CMP_GT", _MASKED: "SCMP_CMP_MASKED_EQ"}
    calls = []
    for name, number, comparison in rules():
        rule: dict[str, Any] = {"names": [name], "action": "SCMP_ACT_ERRNO", "errnoRet": number}
        if comparison is not None:
            index, operator, first, *second = comparison
            rule["args"] = [
                {"index": index, "op": operators[operator], "value": first, "valueTwo": second[0] if second else 0}
            ]
        calls.append(rule)
    return json.dumps({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": calls})


@cache
def program() -> bytes:
    """The rules as a program for the kernel of this machine. Raises FixfirstError without the library libseccomp."""
    library = _library()
    context = library.seccomp_init(_ALLOW)
    try:
        for name, number, comparison in rules():
            call = library.seccomp_syscall_resolve_name(name.encode())
            if call < 0:  # this kind of processor has no such call
                continue
            compared = () if comparison is None else (_Comparison(*comparison),)
            array = (_Comparison * len(compared))(*compared)
            _checked(library.seccomp_rule_add_array(context, _ERRNO | number, call, len(compared), array))
        handle = os.memfd_create("fixfirst-filter")
        try:
            _checked(library.seccomp_export_bpf(context, handle))
            return os.pread(handle, os.fstat(handle).st_size, 0)
        finally:
            os.close(handle)
    finally:
        library.seccomp_release(context)


def open_program() -> int:
    """A file descriptor from which `program` can be read once."""
    handle = os.memfd_create("fixfirst-filter")
    os.write(handle, program())
    os.lseek(handle, 0, os.SEEK_SET)
    return handle


def _library() -> Any:
    name = find_library("seccomp")
    if name is None:
        raise FixfirstError("the library libseccomp is not installed. Fix: install it (Debian: libseccomp2).")
    library = ctypes.CDLL(name)
    library.seccomp_init.restype = ctypes.c_void_p
    library.seccomp_init.argtypes = [ctypes.c_uint32]
    library.seccomp_release.argtypes = [ctypes.c_void_p]
    library.seccomp_export_bpf.argtypes = [ctypes.c_void_p, ctypes.c_int]
    library.seccomp_rule_add_array.argtypes = [
        ctypes.c_void_p,
        ctypes.c_uint32,
        ctypes.c_int,
        ctypes.c_uint,
        ctypes.POINTER(_Comparison),
    ]
    return library


def _checked(code: int) -> None:
    if code < 0:
        raise FixfirstError(f"the filter of system calls cannot be made (libseccomp: {os.strerror(-code)}).")
