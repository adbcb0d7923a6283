"""What a patient has a right to: who looked, a copy, to object, to have corrected, to have destroyed."""
