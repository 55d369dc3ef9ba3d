"""Process changes of originals: variants in OUTPUT_BUCKET, a record, and a notice for each final state.

`change` declares what is processed, `pipeline` processes it. This package knows no events: an entrypoint, the server's
own uploads, a backfill and the sweep all call the same `Pipeline.process`.
"""
