"""Who gets messages about patients who do not exist: a mail server and a webhook receiver of our own."""
