"""The compiled part of the engine: what is called for each reading, in functions of columns."""
