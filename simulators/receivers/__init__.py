"""Who gets the messages about patients who do not exist: a mail server and a webhook receiver on this machine."""
