"""Simulated patients as files: readings, registrations, labels, and what they were made from."""
