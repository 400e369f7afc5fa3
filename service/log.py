"""
Write the log of a process: one JSON object a line, to the standard error.

What is logged never holds a caller's words, a name, a phone number or a secret.
"""

import io
import json
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO, cast

import structlog
from structlog.typing import EventDict, Processor

KEPT_BYTES_MAX = 262_144  # of warnings and errors that are kept beside the log
# An error's class and the rule of a route, never its address: that may name a call.
KEPT_NAMES = ("level", "event", "timestamp", "error", "route")
KEPT_LEVELS = ("warning", "error", "critical")


def configure_log(least: str = "info", keep: Path | None = None) -> None:
    """
    Set structlog up, once per process, before its first line; *least* is the least level written.

    *keep* is a file in which the names of warnings and errors are kept too, for the page of the
    state: what answers calls has its log at the terminal.
    """
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            *([keeper(keep)] if keep else []),
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.WriteLoggerFactory(cast(TextIO, UnfailingOutput(sys.stderr))),
        wrapper_class=structlog.make_filtering_bound_logger(least),
        cache_logger_on_first_use=True,
    )


class UnfailingOutput(io.TextIOBase):
    """
    Write where *output* goes, and lose a line that cannot be written: on a full disk a call is
    answered all the same.
    """

    def __init__(self, output: TextIO) -> None:
        self._output = output

    def write(self, text: str) -> int:
        """
        Write *text*, or nothing. Never raises for a disk or a pipe.
        """
        with suppress(OSError, ValueError):  # a closed output says ValueError
            self._output.write(text)
        return len(text)

    def flush(self) -> None:
        """
        Let what was written go out. Never raises for a disk or a pipe.
        """
        with suppress(OSError, ValueError):
            self._output.flush()


def keeper(path: Path) -> Processor:
    """
    Make what keeps the name, level and time of each warning and error in a file, its class and its
    route, and nothing else of them; an old file is put aside before it grows large.
    """

    def keep(_logger: Any, _name: str, event: EventDict) -> EventDict:
        if event.get("level") in KEPT_LEVELS:
            kept = {name: event[name] for name in KEPT_NAMES if name in event}
            if not str(kept.get("error", "")).isidentifier():
                kept.pop("error", None)  # no class, so it may be a message
            try:
                path.parent.mkdir(mode=0o700, exist_ok=True)
                if path.exists() and path.stat().st_size > KEPT_BYTES_MAX:
                    path.replace(path.with_suffix(".old"))
                with path.open("a") as file:
                    file.write(json.dumps(kept) + "\n")
            except OSError:
                pass  # the line itself is written all the same
        return event

    return keep


def where_of(error: BaseException) -> list[str]:
    """
    Say where an error came from, frame by frame, without a word of what a caller sent.
    """
    frames = traceback.extract_tb(error.__traceback__)
    return [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames[-8:]]
