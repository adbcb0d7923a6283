"""Asked of me."""
