"""Simulated patients and devices, and the servers to run everything against without Docker."""
