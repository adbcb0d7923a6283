"""Candidate versions of programmes on the live log: found apart, seen by no nurse, told to nobody."""
