"""Follows a started program: reads its two pipes within bounds, watches clock and memory, and ends it at a limit."""

import os
import resource
import selectors
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass

from evaluation.sandbox.job import Limits
from evaluation.sandbox.session import Session
from evaluation.sandbox.wrapper import ENDED

_STEP = 0.05
_PATIENCE = 10.0
_BLOCK = 1 << 16
_HEADER = 64


@dataclass(frozen=True)
class Seen:
    """What was seen of a run.

    output: standard output, cut off beyond the largest answer. log: head and tail of standard error. stopped: which
    limit ended it. peak: the most memory seen by the watcher. cpu_seconds: of the command's own processes.
    """

    output: bytes
    log: bytes
    stopped: str | None
    seconds: float
    peak: int | None
    cpu_seconds: float


class _Log:
    """The beginning and the end of a stream of any length."""

    def __init__(self, most: int) -> None:
        self._half = most // 2
        self._head, self._tail, self._cut = bytearray(), bytearray(), 0

    def add(self, block: bytes) -> None:
        room = self._half - len(self._head)
        self._head += block[:room]
        self._tail += block[room:] if room > 0 else block
        extra = len(self._tail) - self._half
        if extra > 0:
            self._cut += extra
            del self._tail[:extra]

    def content(self) -> bytes:
        middle = f"\n… {self._cut} bytes left out …\n".encode() if self._cut else b""
        return bytes(self._head) + middle + bytes(self._tail)


def follow(session: Session, limits: Limits) -> Seen:
    """Starts a sandbox and follows it to its end, whatever the program does."""
    before = _cpu_seconds()
    started = time.monotonic()
    process = subprocess.Popen(
        session.command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=session.environment,
        pass_fds=session.descriptors,
        start_new_session=session.own_session,
        process_group=None if session.own_session else 0,
    )
    try:
        output, log, stopped, peak = _read(process, session, limits, started)
    finally:
        seconds = time.monotonic() - started
        _ensure_ended(process, session)
    return Seen(output, log, stopped, seconds, peak, _cpu_seconds() - before)


class _Reader:
    """Reads the two pipes of a process as they fill, and keeps what there is room for."""

    def __init__(self, process: subprocess.Popen[bytes], limits: Limits) -> None:
        self.output, self.log = bytearray(), _Log(limits.log)
        self._most = limits.answer + _HEADER
        self._selector = selectors.DefaultSelector()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                os.set_blocking(stream.fileno(), False)
                self._selector.register(stream, selectors.EVENT_READ, stream is process.stderr)

    @property
    def is_open(self) -> bool:
        """Whether somebody still holds the other end of a pipe."""
        return bool(self._selector.get_map())

    def step(self) -> None:
        """Reads what is there, or waits a moment."""
        for key, _ in self._selector.select(_STEP):
            block = os.read(key.fd, _BLOCK)
            if not block:
                self._selector.unregister(key.fileobj)
            elif key.data:
                self.log.add(block)
            elif len(self.output) <= self._most:
                self.output += block

    def close(self) -> None:
        self._selector.close()


def _read(
    process: subprocess.Popen[bytes], session: Session, limits: Limits, started: float
) -> tuple[bytes, bytes, str | None, int | None]:
    """Standard output, the log, the limit that was met, and the most memory seen."""
    reader, stopped, peak = _Reader(process, limits), None, None
    until = started + limits.seconds + _PATIENCE
    while reader.is_open and time.monotonic() < until:
        reader.step()
        if process.stdin is not None and not process.stdin.closed and reader.output.endswith(ENDED):
            session.measure()
            process.stdin.close()
        if process.poll() is not None:
            until = min(until, time.monotonic() + _PATIENCE)
        elif stopped is None:
            if session.memory is not None:
                peak = max(peak or 0, session.memory(process.pid)) or None
            stopped = _limit_met(limits, time.monotonic() - started, peak, len(reader.output))
            if stopped is None and session.crowded(process.pid):
                stopped = "files"
            if stopped is not None:
                session.measure()
                session.kill(process.pid)
                until = min(until, time.monotonic() + _PATIENCE)
    reader.close()
    return bytes(reader.output), reader.log.content(), stopped, peak


def _limit_met(limits: Limits, seconds: float, peak: int | None, output: int) -> str | None:
    if peak is not None and peak > limits.memory:
        return "memory"
    if seconds > limits.seconds:
        return "time"
    return "answer" if output > limits.answer + _HEADER else None


def _ensure_ended(process: subprocess.Popen[bytes], session: Session) -> None:
    if process.poll() is None:
        with suppress(subprocess.TimeoutExpired):
            process.wait(_STEP)
    if process.poll() is None:
        session.kill(process.pid)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_PATIENCE)
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            stream.close()


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
