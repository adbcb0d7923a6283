"""Who may do what at the broker: the rules as data, and what puts them there."""
