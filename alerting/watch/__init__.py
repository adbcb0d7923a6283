"""Silence of the monitoring itself is what this watches for: canaries through the whole flow, and a heartbeat."""
