"""Technical."""
