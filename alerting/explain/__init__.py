"""Findings explained in Dutch and English, as a nurse would say it."""
