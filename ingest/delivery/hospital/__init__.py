"""What hospital systems tell of their patients becomes changes of the register, or proposals to people."""
