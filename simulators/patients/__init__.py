"""Simulated patients: who they are, how they measure, how they get worse; the same seed, the same lives."""
