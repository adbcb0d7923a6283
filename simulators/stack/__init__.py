"""Postgres and Apache Kafka without Docker, started and ended with the program that needs them."""

from simulators.stack.stack import Stack

__all__ = ["Stack"]
