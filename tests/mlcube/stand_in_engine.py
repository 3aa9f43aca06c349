#!/usr/bin/env python3
"""A stand-in for `docker`: logs its arguments and runs the entry point of the image on the host.

Environment: STAND_IN_LOG, a file that gets one JSON line per call; STAND_IN_PROJECT, the folder of mlcube.yaml;
STAND_IN_RUNS_NOTHING, if it is set, only logs.
"""

import json
import os
import subprocess
import sys


def main(arguments: list[str]) -> int:
    with open(os.environ["STAND_IN_LOG"], "a") as log:
        log.write(json.dumps(arguments) + "\n")
    if arguments[0] != "run" or "STAND_IN_RUNS_NOTHING" in os.environ:
        return 0
    image = next(place for place, word in enumerate(arguments) if word.startswith("fixfirst/fixfirst:"))
    volumes = [arguments[place + 1] for place, word in enumerate(arguments[:image]) if word == "--volume"]
    mounts = [volume.split(":")[:2] for volume in volumes]
    command = [sys.executable, os.path.join(os.environ["STAND_IN_PROJECT"], "mlcube", "entrypoint.py")]
    for word in arguments[image + 1 :]:
        name, equals, value = word.partition("=")
        for outside, inside in mounts:
            if value == inside or value.startswith(inside + "/"):
                value = outside + value[len(inside) :]
                break
        command.append(name + equals + value)
    return subprocess.run(command).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
