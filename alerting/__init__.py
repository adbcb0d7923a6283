"""From readings to findings to alerts."""
