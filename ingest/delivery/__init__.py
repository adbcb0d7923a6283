"""What is delivered by HTTP becomes messages of the log."""
