"""FHIR R4 resources become readings, and what was wrong with them an OperationOutcome. Pure."""
