"""How a feature is declared, decided before decoding, and run."""
