"""Free ports on 127.0.0.1."""

import random
import socket

# Below the range from which Linux takes the ports of outgoing connections (32768 on): a port from there
# may be gone between being found and being used, or while a server restarts.
_FROM, _TO = 20_000, 32_000


def free_port() -> int:
    """A port on which nobody listens now."""
    dice = random.SystemRandom()
    while True:
        port = dice.randrange(_FROM, _TO)
        if is_free(port):
            return port


def is_free(port: int) -> bool:
    """Whether nobody listens on this port now."""
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def accepts_connections(port: int) -> bool:
    """Whether somebody listens on this port now."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0
