"""By what the routes about alerts decide, for their handlers."""

from typing import Annotated

from fastapi import Depends, Request

from alerting.worklist.handling import Rules


def _rules(request: Request) -> Rules:
    rules: Rules = request.app.state.alert_rules
    return rules


ByRules = Annotated[Rules, Depends(_rules)]
"""What a handler asks for; whoever makes the app puts the rules into `app.state.alert_rules`."""
