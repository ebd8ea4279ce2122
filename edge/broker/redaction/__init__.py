"""The redactor of src/telemetry/redact.ts in Python; test/edge/broker-redaction.test.ts holds both to the same."""
