"""One file for each shape in which vendors' clouds tell: its name is the adapter's. README.md says how."""
