"""The vocabulary of Thuiswacht, pure: kinds, readings, patients, programmes, alerts, errors, settings."""
