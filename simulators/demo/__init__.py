"""The whole flow in one command: simulated patients through the running services, ending with a table."""
