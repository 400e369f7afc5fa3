"""
Write the log of a process: one JSON object a line, to the standard error.

What is logged never holds a caller's words, a name, a phone number or a secret.
"""

import sys
import traceback
from pathlib import Path

import structlog


def configure_log(least: str = "info") -> None:
    """
    Set structlog up, once per process, before its first line; *least* is the least level written.
    """
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(least),
        cache_logger_on_first_use=True,
    )


def where_of(error: BaseException) -> list[str]:
    """
    Say where an error came from, frame by frame, without a word of what a caller sent.
    """
    frames = traceback.extract_tb(error.__traceback__)
    return [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames[-8:]]
