"""imagor's paths: Thumbor's language with segments and filters of its own, and with other meanings of some filters.

`/signature or unsafe/[meta/][trim…/][crop/][fit-in/][stretch/][size/][padding/][alignments/][smart/][filters:…/]key`.
docs/compatibility.md says what differs. The record of the dialect is beside Thumbor's, whose signatures it shares, so
that a process without this dialect imports nothing of this package.
"""
