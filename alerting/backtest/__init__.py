"""What a rule would have done, before it wakes anybody: programmes on history, measured by what happened."""
