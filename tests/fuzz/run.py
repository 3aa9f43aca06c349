"""Mutates inputs, hands them to readers and counts what happens."""

import hashlib
import random
import time
import warnings
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from cleaning.errors import FixfirstError
from tests.fuzz.readers import READERS, TOKENS, Reader

FOUND = Path(__file__).with_name("found")
"""Inputs that were faults once, as READER/HASH; every run and `make test` begin with them."""

LONGEST_MESSAGE = 5_000
SLOW = 10.0
"""Seconds of processor time after which an input counts as a fault."""


@dataclass
class Tally:
    """What became of the inputs of one reader. faults: the reason of each, with the input."""

    inputs: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    faults: list[tuple[str, bytes]] = field(default_factory=list)

    def fault(self, reason: str, content: bytes) -> None:
        self.outcomes["fault"] += 1
        self.faults.append((reason, content))


def mutated(content: bytes, rng: random.Random) -> bytes:
    """The content with a few random changes, mostly one."""
    found = bytearray(content)
    for _ in range(rng.choice([1, 1, 1, 2, 3, 6])):
        at = rng.randrange(len(found) + 1)
        length = min(rng.randint(1, 40), len(found) - at)
        match rng.randrange(7):
            case 0 if length:
                found[at] = rng.randrange(256)
            case 1 if length:
                found[at] ^= 1 << rng.randrange(8)
            case 2:
                del found[at : at + length]
            case 3:
                found[at:at] = found[at : at + length] * rng.choice([1, 2, 50])
            case 4:
                found[at:at] = rng.choice(TOKENS)
            case 5:
                other = rng.randrange(len(found) + 1)
                found[at:at] = found[other : other + length]
            case _:
                del found[at:]
    return bytes(found)


def judge(reader: Reader, content: bytes, path: Path, tally: Tally) -> None:
    """Reads one input. Anything but success or a short refusal that names the problem in one line is a fault."""
    path.write_bytes(content)
    started = time.process_time()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            reader.read(path)
        tally.outcomes["accepted"] += 1
    except FixfirstError as error:
        tally.outcomes["refused"] += 1
        text = str(error)
        if len(text) > LONGEST_MESSAGE or not text.isprintable() or " at 0x" in text:
            tally.fault(f"the message is not one short line: {text[:200]!r}", content)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        tally.fault(f"{type(error).__name__}: {str(error)[:200]}", content)
    seconds = time.process_time() - started
    tally.inputs += 1
    tally.slowest = max(tally.slowest, seconds)
    if seconds > SLOW:
        tally.fault(f"it takes {seconds:.0f} s", content)


def fuzz(name: str, inputs: int, seed: int, folder: Path) -> Tally:
    """Hands a reader its seeds, the inputs found earlier, and mutations of both."""
    reader, tally, rng = READERS[name], Tally(), random.Random(f"{name} {seed}")
    path = folder / f"input{reader.suffix}"
    seeds = reader.seeds()
    for content in seeds:
        judge(reader, content, path, tally)
    if not tally.outcomes["accepted"]:
        raise AssertionError(f"{name} accepts none of its own seeds")
    earlier = known(name)
    for content in earlier:
        judge(reader, content, path, tally)
    pool = [*seeds, *earlier]
    for _ in range(inputs):
        judge(reader, mutated(rng.choice(pool), rng), path, tally)
    return tally


def known(name: str) -> list[bytes]:
    """The inputs that were faults of this reader once."""
    return [path.read_bytes() for path in sorted((FOUND / _folder(name)).glob("*"))]


def keep(name: str, contents: Iterable[bytes]) -> None:
    """Keeps inputs that are faults, so that they are tried from now on."""
    for content in contents:
        path = FOUND / _folder(name) / hashlib.sha256(content).hexdigest()[:16]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def table(tallies: dict[str, Tally]) -> str:
    """One line per reader and the sum."""
    lines = [f"{'reader':24}{'inputs':>9}{'accepted':>10}{'refused':>9}{'faults':>8}{'slowest':>10}"]
    for name, tally in tallies.items():
        counts = [tally.outcomes[outcome] for outcome in ("accepted", "refused", "fault")]
        lines.append(f"{name:24}{tally.inputs:9}{counts[0]:10}{counts[1]:9}{counts[2]:8}{tally.slowest:8.2f} s")
    total = sum(tally.inputs for tally in tallies.values())
    lines.append(f"{'all':24}{total:9}{'':19}{sum(len(tally.faults) for tally in tallies.values()):8}")
    return "\n".join(lines)


def _folder(name: str) -> str:
    return name.replace(", ", "-").replace(" ", "-")
