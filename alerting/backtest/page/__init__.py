"""The report of a backtest as one page that opens from a disk: words, charts, tables in two languages."""
