"""A real FTP server on this machine's loopback address: a file system that Hadoop opens and this package does not."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.ioloop import IOLoop
from pyftpdlib.servers import ThreadedFTPServer

USER, PASSWORD = "reader", "se-cret"


@contextmanager
def ftp_server(folder: Path) -> Iterator[str]:
    """Serve a folder to USER with PASSWORD until the end of the block; yield host and port."""
    authorizer = DummyAuthorizer()
    authorizer.add_user(USER, PASSWORD, str(folder), perm="elr")
    members = {"authorizer": authorizer, "auth_failed_timeout": 0}
    # A thread for each client: in a common loop the end of one data connection may cut off another client.
    server = ThreadedFTPServer(("127.0.0.1", 0), type("Handler", (FTPHandler,), members), ioloop=IOLoop())
    server.poll_timeout = 0.05  # also the time that the end of a client takes
    thread = threading.Thread(target=server.serve_forever, kwargs={"timeout": 0.1, "handle_exit": False}, daemon=True)
    thread.start()
    before = Path.cwd()
    try:
        yield f"127.0.0.1:{server.address[1]}"
    finally:
        server.close_all()
        thread.join()
        os.chdir(before)  # the server changes the folder of the whole process
