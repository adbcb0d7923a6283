"""Patient."""
