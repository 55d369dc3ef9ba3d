"""Who sends a request: canonical form, signatures, secrets."""
