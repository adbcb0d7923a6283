"""Load that tells the truth: what is sent has a planned moment, and everything is counted from it."""
