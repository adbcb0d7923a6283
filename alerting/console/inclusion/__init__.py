"""Include a patient."""
