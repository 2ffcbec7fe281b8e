"""`python -m tests.servers postgres -- CMD...` (or redis) runs one command with a server of its own."""

import os
import signal
import subprocess
import sys

from tests.servers.postgres import start_postgres
from tests.servers.redis import start_redis
from tests.servers.server import ServerUnavailable

USAGE = "usage: python -m tests.servers {postgres|redis} -- CMD..."
STARTS = {"postgres": start_postgres, "redis": start_redis}
VARIABLES = {"postgres": ("TEST_DATABASE_URL", "DATABASE_URL"), "redis": ("TEST_REDIS_URL", "REDIS_URL")}


def main(arguments: list[str]) -> int:
    """Run one command with its own server; the exit code is the command's."""
    match arguments:
        case [name, "--", *command] if name in STARTS and command:
            return _run_with(name, command)
    print(USAGE, file=sys.stderr)
    return 2


def _run_with(name: str, command: list[str]) -> int:
    try:
        server = STARTS[name]()
    except ServerUnavailable as error:
        print(error, file=sys.stderr)
        return 1
    try:
        return _call(command, os.environ | dict.fromkeys(VARIABLES[name], server.url))
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr)
        return 127
    finally:
        server.stop()


def _call(command: list[str], environment: dict[str, str]) -> int:
    with subprocess.Popen(command, env=environment) as process:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal sends Ctrl-C to the command as well
        signal.signal(signal.SIGTERM, lambda *_: process.terminate())
        code = process.wait()
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
