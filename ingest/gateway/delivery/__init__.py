"""The front gate as a service: HTTP around `ingest/delivery`."""
