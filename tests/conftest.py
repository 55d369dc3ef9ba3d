"""What holds for every test."""

from __future__ import annotations

from hypothesis import settings

# No test is timed: machines are shared. pytest-timeout ends what hangs.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
