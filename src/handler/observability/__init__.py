"""What operators see of a request: `logs` writes lines and metrics, `redaction` removes secrets from them."""
