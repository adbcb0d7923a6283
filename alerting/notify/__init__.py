"""Messages that arrive: from the outbox over channels to those who were asked, at least once and in order."""
