"""The rule engine, pure: programmes, compiler, kernel."""
