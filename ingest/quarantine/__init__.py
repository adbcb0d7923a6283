"""What was refused: who sent it, and having it tried again."""
