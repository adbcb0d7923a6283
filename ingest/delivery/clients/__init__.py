"""Clients: the systems that deliver, by what they are known, and how much of us each may have."""
