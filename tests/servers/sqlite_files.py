"""The bytes of an open SQLite database, read by a process of its own.

POSIX drops every lock a process holds on a file as soon as that process closes any descriptor of it
(https://sqlite.org/howtocorrupt.html, 2.2). A test that reads the database by `open()` therefore takes the locks of the
pool's connections away, and the next process that opens the file truncates the index of its write-ahead log under
them: tables are missing, the disk has errors, the file is no database.
"""

import subprocess
from pathlib import Path


def content(database: str) -> bytes:
    """The file and what stands beside it: the log, its index, a journal."""
    path = Path(database)
    files = sorted(map(str, path.parent.glob(f"{path.name}*")))
    return subprocess.run(["cat", *files], capture_output=True, check=True).stdout
