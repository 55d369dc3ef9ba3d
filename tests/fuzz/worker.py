"""`python -m tests.fuzz.worker`: reads a case a line and writes an outcome a line, until there are no more.

It may end at any time without harm to whoever asks; its memory is limited. Where it crashes, and on SIGUSR1, it writes
to standard error where it is.
"""

from __future__ import annotations

import faulthandler
import os
import resource
import signal
import sys
import tempfile
from pathlib import Path

import msgspec
from tests.fuzz.case import Case
from tests.fuzz.judge import Judge

MOST_MEMORY = 6_000_000_000


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    faulthandler.enable()
    faulthandler.register(signal.SIGUSR1)
    # What a library prints is no outcome.
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    with tempfile.TemporaryDirectory() as folder:
        judge = Judge(Path(folder))
        for line in sys.stdin.buffer:
            outcome = judge.judge(msgspec.json.decode(line, type=Case))
            out.write(msgspec.json.encode(outcome) + b"\n")
            out.flush()


if __name__ == "__main__":
    main()
