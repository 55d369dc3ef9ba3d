"""Authentication of requests: the canonical form of URLs, signatures, secrets."""
