"""Patients, devices and changes put together into one log, day after day."""
