"""Serving a site to browsers on this machine."""

import functools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from iebench.errors import UsageError

HOST = "127.0.0.1"


class QuietHandler(SimpleHTTPRequestHandler):
    """Hands out the files of a folder and prints nothing."""

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing of requests."""

    def end_headers(self) -> None:
        """Let browsers ask for each file anew, as the folder may have been written again."""
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()


@contextmanager
def serve_site(folder: Path, port: int) -> Iterator[str]:
    """Serve a folder's files to this machine alone, on a port, or on any free one where that is 0; gives the address.

    Raises:
        UsageError: the port is taken, or not ours to take.
    """
    handler = functools.partial(QuietHandler, directory=str(folder))
    try:
        server = ThreadingHTTPServer((HOST, port), handler)
    except OSError as error:
        raise UsageError(
            f"Port {port} cannot be used ({error.strerror}): choose another --port, or 0 for any."
        ) from None
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://{HOST}:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()
