"""Who somebody is: OpenID Connect, accounts of trials, systems with keys; sessions, and the end of them."""
