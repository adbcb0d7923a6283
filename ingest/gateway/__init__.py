"""The front gate: one API, on every route of which somebody is known, allowed, and on record."""
