"""
Know whether any thread of this process can still take a request.
"""

import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class ThreadsAtWork:
    """
    Stand before the application and note since when each thread works on a request.

    A process whose threads all hang answers nobody, though it lives; `is_stuck` says so.
    """

    def __init__(self, wsgi: Wsgi, threads: int, request_s_max: float) -> None:
        self._wsgi = wsgi
        self._threads = threads
        self._request_s_max = request_s_max
        self._since: dict[int, float] = {}

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """
        Pass a request on.
        """
        thread = threading.get_ident()
        self._since[thread] = time.monotonic()
        try:
            return self._wsgi(environ, start_response)
        finally:
            self._since.pop(thread, None)

    def is_stuck(self) -> bool:
        """
        Tell whether as many requests as there are threads took longer than a request may.
        """
        before = time.monotonic() - self._request_s_max
        old = sum(since < before for since in list(self._since.values()))
        return old >= self._threads
