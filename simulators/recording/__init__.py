"""Stretches of a log into files, and files into a log again."""
