"""The way of simulated uploads through the front gate: in its formats, with real credentials, over HTTP."""
