"""What we say as FHIR R4: an escalation as a transaction, a message to a patient as a request. Pure."""
