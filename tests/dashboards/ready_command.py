"""`isopath`, ready to start: a process that has read the program once, and a copy of it for each command.

Reading the program takes a second, and hundreds of tests run commands. Each command still has a process, an
environment, streams and an end of its own. What a command reads late (pandas, torch) is read in its own
process: some of it starts threads, which no copy of a process has.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from typing import Any

LONGEST_S = 300


def main() -> None:
    """Wait for commands on the socket that the first argument numbers, and be one of them in each copy."""
    from dashboards.cli.main import main as isopath

    with socket.socket(fileno=int(sys.argv[1])) as control, control.makefile("rw") as lines:
        while line := lines.readline():
            child = os.fork()
            if child == 0:
                break
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            lines.write(f"{code}\n")
            lines.flush()
        else:
            return
    _become(json.loads(line))
    isopath()


def _become(asked: dict[str, Any]) -> None:
    for number, (name, flags) in enumerate(
        (("stdin", os.O_RDONLY), ("stdout", os.O_WRONLY), ("stderr", os.O_WRONLY))
    ):
        opened = os.open(asked[name], flags)
        os.dup2(opened, number)
        os.close(opened)
    os.chdir(asked["cwd"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    sys.argv = asked["argv"]
    signal.alarm(LONGEST_S)


if __name__ == "__main__":
    main()
