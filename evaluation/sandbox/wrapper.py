"""The shell script around every program: afterwards it ends what is left, and sends the answer through a pipe.

What it writes to standard output is the line STARTED, the line ENDED when all is ended, and once its standard input is
closed a line that says how the program ended, and after `ok` the bytes of the answer. So there is time to look at what
the sandbox used. The program's own standard output goes to standard error. A program that finds the pipes and uses them
only spoils its own answer.
"""

from evaluation.sandbox.job import OUTPUT, Job

STARTED = b"started\n"
ENDED = b"ended\n"

_SCRIPT = """\
answer=$1
shift
echo started
"$@" >&2 </dev/null
status=$?
{end}
echo ended
read -r _
if [ $status -ne 0 ]; then echo "exit $status"
elif [ -L "$answer" ]; then echo odd
elif [ ! -e "$answer" ]; then echo missing
elif [ ! -f "$answer" ] || [ ! -r "$answer" ]; then echo odd
else echo ok; exec cat "$answer"
fi
"""


def wrapped(job: Job) -> list[str]:
    """The command that runs the job inside a sandbox, where it kills all other processes when the program has ended."""
    script = _SCRIPT.format(end="kill -9 -1 2>/dev/null")
    return ["sh", "-c", script, "sh", f"{OUTPUT}/{job.answer}", *job.command]


def wrapped_bare(answer: str, command: list[str]) -> list[str]:
    """The same without a sandbox. Kills nothing."""
    return ["sh", "-c", _SCRIPT.format(end=":"), "sh", answer, *command]
