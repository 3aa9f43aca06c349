"""Tries to get out of a sandbox and writes down what worked. Harmless, also where everything works.

`probe.py CANARIES ANSWER`. CANARIES: JSON with `port` (a listener on 127.0.0.1), `file` (a file that must not be seen),
`variables` (the only names that the environments of the probe and of the first process may have), `processes`
(the name of the organiser's space of processes).
"""

import ctypes
import json
import os
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

_NEW_USER = 0x10000000
_MANY = 100


def main(canaries: str, answer: str) -> None:
    """Tries everything and writes a JSON list of what worked."""
    known = json.loads(canaries)
    tries: dict[str, Callable[[], object]] = {
        "a connection to this machine": lambda: socket.create_connection(("127.0.0.1", known["port"]), 1),
        "a file outside": lambda: Path(known["file"]).read_bytes(),
        "a setting of the kernel": lambda: os.open("/proc/sys/kernel/core_pattern", os.O_WRONLY),
        "the environment outside": lambda: _foreign(set(known["variables"])),
        "a user namespace of its own": _new_user_namespace,
        "a socket to the machine below": lambda: socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM),
        f"{_MANY} processes": _many_processes,
        "the processes outside": lambda: str(Path("/proc/self/ns/pid").readlink()) == known["processes"],
    }
    worked = [name for name, attempt in tries.items() if _works(attempt)]
    Path(answer).write_text(json.dumps(worked))


def _works(attempt: Callable[[], object]) -> bool:
    try:
        return bool(attempt())
    except Exception:
        return False


def _foreign(allowed: set[str]) -> set[str]:
    names = set(os.environ)
    with suppress(OSError):
        content = Path("/proc/1/environ").read_bytes()
        names |= {entry.split(b"=")[0].decode() for entry in content.split(b"\0") if entry}
    return names - allowed


def _new_user_namespace() -> bool:
    child = os.fork()
    if child == 0:
        os._exit(0 if ctypes.CDLL(None).unshare(_NEW_USER) == 0 else 1)
    return os.waitpid(child, 0)[1] == 0


def _many_processes() -> bool:
    children = []
    try:
        for _ in range(_MANY):
            child = os.fork()
            if child == 0:
                time.sleep(5)
                os._exit(0)
            children.append(child)
    finally:
        for child in children:
            os.kill(child, 9)
            os.waitpid(child, 0)
    return True


if __name__ == "__main__":
    main(*sys.argv[1:])
