"""The environment: read once, all faults told together."""

from __future__ import annotations

import pytest

from handler.config import Settings, SettingsError


def test_nothing_set_gives_the_defaults() -> None:
    assert Settings.from_environment({}).limits.result_side == 8192


def test_every_fault_is_told_at_once() -> None:
    with pytest.raises(SettingsError) as told:
        Settings.from_environment(
            {"MAX_FRAMES": "none", "CORS_ENABLED": "perhaps", "ENABLE_SIGNATURE": "Yes", "DIALECTS": "klingon"}
        )
    message = str(told.value)
    for name in ("MAX_FRAMES", "CORS_ENABLED", "ENABLE_SIGNATURE", "DIALECTS"):
        assert name in message
    assert "got 'perhaps'" in message


def test_the_memory_budget_follows_the_function() -> None:
    assert Settings.from_environment({"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "2000"}).limits.memory == 1_400_000_000
    assert Settings.from_environment({"MEMORY_BUDGET": "5000000"}).limits.memory == 5_000_000


def test_answers_are_bounded_in_lambda_alone() -> None:
    assert Settings.from_environment({}).answer_bytes == 0
    assert Settings.from_environment({"AWS_LAMBDA_FUNCTION_NAME": "f"}).answer_bytes == 6_291_556


@pytest.mark.parametrize("word", ["Yes", "yes", "true", "1"])
def test_yes_is_said_in_many_ways(word: str) -> None:
    assert Settings.from_environment({"AUTO_WEBP": word}).auto_webp


def test_processors_come_with_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    assert Settings.from_environment({"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769"}).limits.processors == 1
    assert Settings.from_environment({}).limits.processors == 4
