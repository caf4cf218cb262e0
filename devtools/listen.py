"""Listen on a port and execute a program that serves it (systemd's socket activation).

Odoo's worker processes queue eight connections each, and its threaded server 128. In a
burst, the system resets further ones after some seconds. A socket that is passed on, as
by a systemd unit, has a queue of our choice (``docs/operations.md``).

Usage: ``python listen.py PORT PROGRAM [ARGUMENTS]``
"""

import os
import socket
import sys

BACKLOG = 1024
FIRST_FD = 3  # by systemd's protocol


def main(port, *command):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", int(port)))
    listener.listen(BACKLOG)
    if listener.fileno() != FIRST_FD:
        os.dup2(listener.fileno(), FIRST_FD)
    os.set_inheritable(FIRST_FD, True)
    handed_over = {"LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid())}
    os.execve(command[0], command, {**os.environ, **handed_over})


if __name__ == "__main__":
    main(*sys.argv[1:])
