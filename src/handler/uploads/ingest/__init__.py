"""How originals are uploaded to this service: forms, bytes and parts, whichever caller may send them.

An entrypoint decides who may upload. `Ingest` does the rest: it makes and checks keys, lets a client write to the store
or writes itself, and has a record and the processing of each original begin.
"""
