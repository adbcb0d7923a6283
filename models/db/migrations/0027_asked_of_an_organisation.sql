-- What an organisation was asked, and what came of it in the last day, however much it was asked before.
CREATE INDEX escalation_over ON escalation (to_organisation_id, over_at) WHERE over_at IS NOT NULL;
