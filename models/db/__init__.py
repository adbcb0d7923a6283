"""The only place that talks to Postgres."""
