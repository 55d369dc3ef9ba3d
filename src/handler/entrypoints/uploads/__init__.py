"""Uploads: events that report a changed original, and forms by which clients send one."""
