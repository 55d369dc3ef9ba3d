"""Parameter models: value types, validation, messages and serialisation."""
