"""Notices of originals: what they contain, the senders of them, and how the outbox is emptied.

`payload` serializes a notice, `sns`, `eventbridge` and `webhook` each send it to one kind of receiver, `dispatch` sends
what is due, and `open_senders` returns those senders that the settings name.
"""
