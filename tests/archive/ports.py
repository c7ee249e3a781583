"""Ports for servers that cannot be told to take any that is free."""

import random
import socket


def free_port() -> int:
    """One below those that systems hand out by themselves: nobody else is given it before it is used."""
    while True:
        port = random.SystemRandom().randrange(20_000, 30_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
