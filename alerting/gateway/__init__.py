"""The routes about alerts, and the API with them."""
