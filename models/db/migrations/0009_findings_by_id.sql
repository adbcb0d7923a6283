-- Who explains a finding has its id alone.

CREATE INDEX finding_by_id ON finding (finding_id);
