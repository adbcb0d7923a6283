"""The letter with an escalation: what a huisarts, or who else is asked, reads; on one page where it fits."""
