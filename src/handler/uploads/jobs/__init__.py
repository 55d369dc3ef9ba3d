"""Work that takes long and that no request waits for: the worker of a queue, redrive of failed messages, backfill."""
