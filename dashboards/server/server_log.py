"""The server's log says what went wrong and where in the code; never a link, an answer or a text."""

from __future__ import annotations

import logging
import re
import traceback
from typing import Any

from study.access.links import TOKEN_BYTES

_TOKEN = re.compile(rf"(?<![0-9a-fA-F])[0-9a-fA-F]{{{2 * TOKEN_BYTES}}}(?![0-9a-fA-F])")


def log_discreetly() -> None:
    """Make every log line of this process a discreet one, whoever writes it."""
    logging.setLogRecordFactory(discreet_record)


def discreet_record(*args: Any, **more: Any) -> logging.LogRecord:
    """A log line without tokens, and without what exceptions say: they may quote what somebody wrote."""
    record = logging.LogRecord(*args, **more)
    record.msg, record.args = _TOKEN.sub("…", record.getMessage()), None
    if record.exc_info and record.exc_info[1] is not None:
        # Formatters take this text as it stands.
        record.exc_text = _frames(record.exc_info[1])
    return record


def _frames(problem: BaseException) -> str:
    shown = []
    cause: BaseException | None = problem
    while cause is not None:
        frames = traceback.extract_tb(cause.__traceback__)
        shown += [f'  File "{frame.filename}", line {frame.lineno}, in {frame.name}' for frame in frames]
        shown.append(type(cause).__name__)
        cause = cause.__cause__
    return "\n".join(shown)
