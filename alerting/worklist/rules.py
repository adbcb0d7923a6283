"""By what alerts are handled, from the files that are in force."""

from alerting.escalation.policy_files import load_policies
from alerting.escalation.roster_files import load_rosters
from alerting.worklist.handling import Rules
from models.settings import Settings


def load_rules(settings: Settings) -> Rules:
    """Policies and rosters, checked. **Raises**: BadFile, saying what is wrong where."""
    rosters = load_rosters()
    return Rules(load_policies(rosters=rosters), rosters, settings)
