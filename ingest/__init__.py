"""Uploads in: decode, normalise, store."""
