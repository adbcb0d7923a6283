"""The audit log looked through: whether it is whole, and what in it is worth a second look."""
