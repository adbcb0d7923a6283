"""The register: who is followed, by whom, in which programmes and with which limits."""
