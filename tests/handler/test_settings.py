"""The environment: read once, all faults told together."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from handler.aws import AwsAccess
from handler.composition.wiring import build
from handler.config import SETTINGS, Settings, SettingsError
from handler.records import open_records


def test_nothing_set_gives_the_defaults() -> None:
    assert Settings.from_environment({}).image_limits.result_side == 8192


def test_every_fault_is_reported_at_once() -> None:
    with pytest.raises(SettingsError) as told:
        Settings.from_environment(
            {"MAX_FRAMES": "none", "CORS_ENABLED": "perhaps", "ENABLE_SIGNATURE": "Yes", "VISION": "klingon"}
        )
    message = str(told.value)
    for name in ("MAX_FRAMES", "CORS_ENABLED", "ENABLE_SIGNATURE", "VISION"):
        assert name in message
    assert "got 'perhaps'" in message


def test_the_memory_budget_follows_the_function() -> None:
    assert Settings.from_environment({"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "2000"}).image_limits.memory == 1_400_000_000
    assert Settings.from_environment({"MEMORY_BUDGET": "5000000"}).image_limits.memory == 5_000_000


def test_answers_are_bounded_in_lambda_alone() -> None:
    assert Settings.from_environment({}).answer_bytes == 0
    assert Settings.from_environment({"AWS_LAMBDA_FUNCTION_NAME": "f"}).answer_bytes == 6_291_556


@pytest.mark.parametrize("word", ["Yes", "yes", "true", "1"])
def test_yes_has_many_spellings(word: str) -> None:
    assert Settings.from_environment({"AUTO_WEBP": word}).requests.auto_webp


def test_processors_come_with_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    assert Settings.from_environment({"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769"}).image_limits.processors == 1
    assert Settings.from_environment({}).image_limits.processors == 4


def test_every_field_has_a_variable_of_its_own() -> None:
    """But for the one that only the local server sets."""
    plain = Settings()
    groups = [getattr(plain, name) for name in plain.__struct_fields__]
    fields = [field for group in groups for field in group.__struct_fields__]
    assert sorted(fields) == sorted([*SETTINGS, "operator_open"])
    variables = [setting.variable for setting in SETTINGS.values()]
    assert len(set(variables)) == len(variables)


def test_each_variable_sets_its_own_field_alone() -> None:
    """What a field's own annotation names reaches that field and no other."""
    plain = Settings.from_environment({})
    values = {"MAX_FRAMES": 7, "CDN_MAX_AGE": 8, "ALWAYS": "{}", "PUBLIC_SOURCES": ("a", "b"), "LIST_IMAGES": False}
    environment = {"MAX_FRAMES": "7", "CDN_MAX_AGE": "8", "ALWAYS": "{}", "PUBLIC_SOURCES": "a, b", "LIST_IMAGES": "No"}
    settings = Settings.from_environment(environment)
    changed = {
        setting.variable: setting.value_in(settings)
        for setting in SETTINGS.values()
        if setting.value_in(settings) != setting.value_in(plain)
    }
    assert changed == values


_GALLERY = {
    "GALLERY_SOURCE": "gallery",
    "PRIVATE_SOURCES": "contracts,drafts",
    "SIGNATURE_SECRET_FILE": "secret",
    "RECORDS": "sqlite:///records.db",
}


def test_the_source_of_the_gallery_is_private() -> None:
    assert Settings.from_environment(_GALLERY).private_sources == {"gallery", "contracts", "drafts"}
    assert Settings.from_environment({}).private_sources == frozenset()


def test_the_settings_of_the_gallery_are_read() -> None:
    gallery = Settings.from_environment(
        _GALLERY
        | {"GALLERY_RECIPES": "cutout, small", "GALLERY_EXPIRE_DAYS": "7", "USER_LIMIT": "9", "GALLERY_MAX_BYTES": "0"}
        | {
            "GALLERY_UPLOADS_PER_HOUR": "5",
            "GALLERY_MODERATION": "80",
            "GALLERY_FINE_TUNE": "No",
            "VISION": "rekognition",
        }
        | {"GALLERY_PASSWORD_FILE": "password", "GALLERY_PASSWORD_SECRET": "password-id"}
    ).gallery
    assert (gallery.gallery_recipes, gallery.gallery_expire_days, gallery.user_limit) == (("cutout", "small"), 7, 9)
    assert (gallery.gallery_max_bytes, gallery.gallery_uploads_per_hour) == (0, 5)
    assert (gallery.gallery_moderation, gallery.gallery_fine_tune) == (80, False)
    assert (gallery.gallery_password_file, gallery.gallery_password) == ("password", "password-id")


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"SIGNATURE_SECRET_FILE": ""}, "PRIVATE_SOURCES needs SECRETS_MANAGER or SIGNATURE_SECRET_FILE"),
        ({"SIGNATURE_SECRET_FILE": ""}, "GALLERY_SOURCE needs SECRETS_MANAGER or SIGNATURE_SECRET_FILE"),
        ({"RECORDS": ""}, "GALLERY_SOURCE needs RECORDS or RECORDS_FILE"),
        ({"PUBLIC_SOURCES": "photos,drafts"}, "PUBLIC_SOURCES must not name a private source, got 'drafts'"),
        ({"PUBLIC_SOURCES": "gallery"}, "PUBLIC_SOURCES must not name a private source, got 'gallery'"),
    ],
)
def test_a_conflict_of_private_sources_is_named(changed: dict[str, str], expected: str) -> None:
    with pytest.raises(SettingsError) as raised:
        Settings.from_environment({**_GALLERY, **changed})
    assert expected in str(raised.value).splitlines()


def test_a_copy_with_other_values_is_checked_as_a_whole() -> None:
    settings = Settings.from_environment({}).replace(enable_signature=True, store_results=True)
    with pytest.raises(SettingsError) as raised:
        settings.check()
    assert "SECRETS_MANAGER" in str(raised.value)
    assert "RESULTS_BUCKET" in str(raised.value)
    settings.replace(secrets_manager="id", results_bucket="results").check()
    with pytest.raises(KeyError):
        settings.replace(no_such_field=1)


def test_the_password_of_a_database_is_in_no_message() -> None:
    for environment in ({"RECORDS": "mysql://user:hunter2@host/db"}, {"RECORDS": "sqlite:///a", "RECORDS_FILE": "b"}):
        with pytest.raises(SettingsError, match="RECORDS") as raised:
            Settings.from_environment(environment)
        assert "hunter2" not in str(raised.value)
    with pytest.raises(SettingsError, match=r"RECORDS_FILE must name a file that exists, got 'nowhere'"):
        build(Settings.from_environment({"RECORDS_FILE": "nowhere"}))
    with pytest.raises(SettingsError, match="WEBHOOK_URL") as raised:
        Settings.from_environment({"WEBHOOK_URL": "https://user:hunter2@example.com/hook"})
    assert "hunter2" not in str(raised.value)


def test_the_database_of_records_may_be_named_in_a_file(tmp_path: Path) -> None:
    assert build(Settings()).records is None
    (tmp_path / "address").write_text(f"sqlite:///{tmp_path}/records.db\n")
    for environment in ({"RECORDS": f"sqlite:///{tmp_path}/records.db"}, {"RECORDS_FILE": f"{tmp_path}/address"}):
        get_records = build(Settings.from_environment(environment)).records
        assert get_records
        with ThreadPoolExecutor(4) as pool:
            opened = [each.result() for each in [pool.submit(get_records) for _ in range(8)]]
        assert all(each is opened[0] for each in opened)
        assert opened[0].get("0" * 32) is None
        opened[0].close()
    assert (tmp_path / "records.db").exists()


@pytest.mark.parametrize(
    ("address", "is_valid"),
    [
        ("", True),
        *((f"sqlite:///{path}", valid) for path, valid in [("a.db", True), ("/a/b c.db", True), ("", False)]),
        *((f"sqlite:///{path}", False) for path in (":memory:", "a.db?mode=ro")),
        *(
            (f"postgresql+psycopg://{rest}", True)
            for rest in ("/db?host=/run/pg", "u:p%40%2F@host:5432/db", "u@[::1]:1/d")
        ),
        *((f"postgresql+psycopg://{rest}", True) for rest in ("host/db?sslmode=verify-full", "u:p/p:p?p@host/db")),
        *(
            (f"postgresql+psycopg://{rest}", False)
            for rest in ("host", "host/", "u@host:port/db", "u:p@p@host/db", "h/a/b")
        ),
        *((f"dynamodb://{table}", valid) for table, valid in [("Records-1", True), ("a", False), ("a/b", False)]),
        *((other, False) for other in ("records.db", "postgresql://u@host/db", "mysql://u@host/db")),
    ],
)
def test_the_address_of_a_database_is_checked_at_the_start(address: str, is_valid: bool) -> None:
    """And what is accepted can be opened."""
    if is_valid:
        accepted = Settings.from_environment({"RECORDS": address})
        assert accepted.records.database == address
        if address:
            open_records(address, AwsAccess()).close()
    else:
        with pytest.raises(SettingsError, match="RECORDS must be"):
            Settings.from_environment({"RECORDS": address})
