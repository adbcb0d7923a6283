"""Watches for silence of the monitoring itself: canaries through the whole flow, and a heartbeat."""

from alerting.watch.rounds import run

__all__ = ["run"]
