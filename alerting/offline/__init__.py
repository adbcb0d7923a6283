"""The rule engine on a file: readings in, findings out, without Kafka or Postgres."""
