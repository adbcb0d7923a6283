"""Recordings: a stretch of the log in one Parquet file, as the rules and other tools read it."""
