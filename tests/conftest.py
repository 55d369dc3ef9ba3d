"""What holds for every test."""

from __future__ import annotations

from hypothesis import settings

# No test is timed: machines are shared. pytest-timeout ends what hangs.
settings.register_profile("untimed", deadline=None)
settings.register_profile("long", deadline=None, max_examples=5000)
settings.load_profile("untimed")
