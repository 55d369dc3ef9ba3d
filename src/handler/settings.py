"""The environment, read once into a frozen model; all its faults are told together."""

from __future__ import annotations
