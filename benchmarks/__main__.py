"""`python -m benchmarks`: everything that is measured, in one run."""

from benchmarks.throughput import main

main()
