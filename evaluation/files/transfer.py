"""Downloads over https or http: resumed, retried, and checked against a sha256."""

import http.client
import time
import urllib.error
import urllib.request
from pathlib import Path

from cleaning.errors import FixfirstError, foreign_reason
from cleaning.progress import Progress, silent
from evaluation.files.whole import make_folder, plain_errors, sha256_file

_TRIES = 4
_BLOCK = 1 << 18
_TIMEOUT = 60.0


def fetch_url(url: str, sha256: str, part: Path, progress: Progress = silent, *, pause: float = 1.0) -> Path:
    """Downloads to `part` and returns that path once its sha256 is correct.

    An interrupted download resumes where it stopped, in this call (4 tries, `pause`, 2 `pause`, … seconds apart) or in
    a later one. A complete file with a different hash is deleted. `progress` receives the number of bytes downloaded
    and the total (0 if the server does not state it). Raises FixfirstError with the reason for the last failure.
    """
    make_folder(part.parent)
    reason = ""
    for attempt in range(_TRIES):
        if attempt:
            time.sleep(pause * 2 ** (attempt - 1))
        try:
            _continue(url, part, progress)
        except urllib.error.HTTPError as error:
            reason = f"the server answered {error.code} {foreign_reason(error.reason)}"
            if error.code < 500 and error.code not in (408, 425, 429):
                break
        except (OSError, http.client.HTTPException) as error:
            reason = foreign_reason(getattr(error, "reason", error))
        else:
            return _checked(url, sha256, part)
    kept = part.stat().st_size if part.exists() else 0
    raise FixfirstError(f"{url}: cannot be downloaded ({reason}); {kept} bytes are kept for the next try")


def _continue(url: str, part: Path, progress: Progress) -> None:
    """Requests the missing part of the file once. Raises an OSError or HTTPException if the transfer breaks off."""
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        response = urllib.request.urlopen(request, timeout=_TIMEOUT)
    except urllib.error.HTTPError as error:
        if error.code == 416 and have:
            return
        raise
    with response:
        resumed = response.status == 206
        expected = response.headers.get("Content-Length")
        done = have if resumed else 0
        goal = done + int(expected) if expected else None
        with plain_errors(part, "write the file"):
            file = part.open("ab" if resumed else "wb")
        with file:
            while block := response.read(_BLOCK):
                with plain_errors(part, "write the file"):
                    file.write(block)
                done += len(block)
                progress(done, goal or 0)
    if goal is not None and done < goal:
        raise OSError(f"the connection ended after {done} of {goal} bytes")


def _checked(url: str, sha256: str, part: Path) -> Path:
    found = sha256_file(part)
    if found != sha256:
        part.unlink()
        raise FixfirstError(f"{url}: the sha256 is {found}, not {sha256}; the file was deleted")
    return part
