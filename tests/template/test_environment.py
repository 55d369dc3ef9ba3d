"""What the template says to the function, and what the function understands."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.template.samples import GALLERY, LEAST, OWN_UPLOADS, SECRET, UPLOADS, stacks
from tests.template.stack import ACCOUNT, REGION, Stack, template
from tests.tools import case

from handler.auth.canonical import IGNORED_BY_DEFAULT, IgnoredParameters
from handler.config import SETTINGS, Settings, SettingsError
from handler.config.extra_settings import with_extra_settings
from handler.requests.dialects import DIALECTS
from handler.storage.sources import read_locations

KNOWN = {setting.variable for setting in SETTINGS.values()}


OF_THE_GALLERY = {
    *("GALLERY_SOURCE", "GALLERY_EXPIRE_DAYS", "GALLERY_MAX_BYTES", "GALLERY_PASSWORD_SECRET", "GALLERY_FINE_TUNE"),
    "USER_LIMIT",
}


def environment(parameters: dict[str, str]) -> dict[str, str]:
    variables: dict[str, Any] = Stack(parameters).resources["Function"]["Environment"]["Variables"]
    assert all(isinstance(value, str) for value in variables.values())
    return variables


def test_the_function_understands_its_environment() -> None:
    for name, parameters in stacks().items():
        with case(name):
            said = environment(parameters)
            assert set(said) <= KNOWN
            settings = Settings.from_environment(said)
            (results,) = read_locations(settings.storage.results_bucket, "RESULTS_BUCKET")
            assert (results.bucket, results.prefix) == ("resultsbucket", "")
            assert results.bucket not in {place.bucket for place in read_locations(settings.storage.source_buckets)}
            IgnoredParameters(settings.requests.ignored_parameters)
            assert sum(len(name) + len(value) for name, value in said.items()) < 4096


def test_defaults_are_those_of_the_function() -> None:
    """But for what a stack has and a laptop has not."""
    told, plain = Settings.from_environment(environment(LEAST)), Settings.from_environment({})
    differing = {name for name, setting in SETTINGS.items() if setting.value_in(told) != setting.value_in(plain)}
    assert differing == {
        *("source_buckets", "results_bucket", "operator_token", "origin_secret", "cors_origin"),
        *("distribution_id", "heavy_function", "public_sources", "demo_bucket"),
        # Empty means all dialects; the parameter of a stack names them.
        "dialects",
    }
    assert told.requests.dialects == tuple(dialect.name for dialect in DIALECTS if dialect.is_default)
    assert told.requests.ignored_parameters == IGNORED_BY_DEFAULT


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        (
            {"OtherSources": "a=https://b.example"},
            {"SOURCE_BUCKETS": "photos,other.photos,a=https://b.example,samples=s3://demobucket/_demo/samples"},
        ),
        ({}, {"SECRETS_MANAGER": "", "ENABLE_SIGNATURE": "No", "CORS_ENABLED": "No"}),
        ({"EnableSignature": "Yes"}, {"SECRETS_MANAGER": SECRET.replace("signing/key", "SignatureSecret")}),
        (
            {"EnableSignature": "Yes", "SecretId": "mine", "SecretKey": "k"},
            {"SECRETS_MANAGER": "mine", "SECRET_KEY": "k"},
        ),
        ({"SecretId": "mine"}, {"SECRETS_MANAGER": "", "ENABLE_SIGNATURE": "No"}),
        ({"OperatorApi": "No"}, {"OPERATOR_TOKEN_SECRET": ""}),
        (
            {"FallbackImage": "404.png"},
            {"ENABLE_DEFAULT_FALLBACK_IMAGE": "Yes", "DEFAULT_FALLBACK_IMAGE_KEY": "404.png"},
        ),
        ({"CorsOrigin": "https://a.example"}, {"CORS_ENABLED": "Yes", "CORS_ORIGIN": "https://a.example"}),
        ({"AutoFormat": "Yes"}, {"AUTO_FORMAT": "Yes", "AUTO_WEBP": "No"}),
        ({"ClientHints": "Yes"}, {"CLIENT_HINTS": "Yes"}),
        ({"PdfSources": "Yes"}, {"PDF_SOURCES": "Yes"}),
        ({"Fonts": "s3://photos/fonts"}, {"FONTS": "s3://photos/fonts"}),
        ({"AutoWebp": "Yes", "Dialects": "query"}, {"AUTO_WEBP": "Yes", "DIALECTS": "query"}),
        ({"RewriteMatchPattern": "/a/", "RewriteSubstitution": "$&"}, {"REWRITE_SUBSTITUTION": "$&"}),
        ({"SourcePaths": "old/=photos"}, {"SOURCE_PATHS": "old/=photos", "DEFAULT_PRESET": ""}),
        ({"PresetsOnly": "Yes", "Presets": '{"a": {}}'}, {"PRESETS_ONLY": "Yes", "PRESETS": '{"a": {}}'}),
        ({}, {"VISION": "auto", "REKOGNITION_REGION": ""}),
        (
            {"Vision": "local", "RekognitionRegion": "eu-west-1"},
            {"VISION": "local", "REKOGNITION_REGION": "eu-west-1"},
        ),
        (UPLOADS, {"RECORDS": "dynamodb://Records", "UPLOAD_SOURCE": ""}),
        ({**UPLOADS, "UploadApi": "Yes"}, {"UPLOAD_SOURCE": "photos"}),
        ({**OWN_UPLOADS, "UploadApi": "Yes"}, {"UPLOAD_SOURCE": "uploads"}),
        ({}, {"RECORDS": "", "UPLOAD_SOURCE": "", "UPLOAD_QUEUE": ""}),
        (UPLOADS, {"UPLOAD_QUEUE": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/UploadQueue"}),
        ({**UPLOADS, "OperatorApi": "No"}, {"UPLOAD_QUEUE": ""}),
        (
            {**GALLERY, "GalleryExpireDays": "7", "UserLimit": "9", "GalleryMaxBytes": "5", "DeployDemoUI": "No"},
            {
                "SOURCE_BUCKETS": "photos,other.photos,gallery=s3://gallerybucket",
                "GALLERY_SOURCE": "gallery",
                "GALLERY_EXPIRE_DAYS": "7",
                "USER_LIMIT": "9",
                "GALLERY_MAX_BYTES": "5",
                "GALLERY_FINE_TUNE": "No",
                "ENABLE_SIGNATURE": "No",
                "SECRETS_MANAGER": SECRET.replace("signing/key", "SignatureSecret"),
                "RECORDS": "dynamodb://Records",
                "UPLOAD_QUEUE": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/UploadQueue",
                "UPLOAD_SOURCE": "",
            },
        ),
        (
            {**GALLERY, "SecretId": "mine", "GalleryPasswordSecret": "gallery/password"},
            {"SECRETS_MANAGER": "mine", "GALLERY_PASSWORD_SECRET": "gallery/password"},
        ),
        ({"DeployedAt": "2026-01-31T12:00:00Z"}, {"DEPLOYED_AT": "2026-01-31T12:00:00Z"}),
        ({"DeployDemoUI": "Yes"}, {"DEMO_BUCKET": "demobucket"}),
        ({"DeployDemoUI": "No"}, {"DEMO_BUCKET": ""}),
    ],
)
def test_parameters_reach_the_function(parameters: dict[str, str], expected: dict[str, str]) -> None:
    said = environment({**LEAST, **parameters})
    assert {name: said[name] for name in expected} == expected


def test_every_setting_can_be_reached() -> None:
    """By a parameter, or by ExtraSettings, but for those that Lambda or the stack sets and those of a laptop."""
    for name, setting in SETTINGS.items():
        is_set = setting.variable in environment(LEAST) or setting.variable.startswith(("AWS_", "DEMO_", "EXTRA_"))
        if not is_set:
            value = {bool: "Yes", int: "7"}.get(type(setting.default), "")
            extra = json.dumps({setting.variable: value})
            said = {**environment(LEAST), "EXTRA_SETTINGS": extra}
            assert set(with_extra_settings(said, KNOWN)) == {*said, setting.variable}, name
    said = environment({**LEAST, "ExtraSettings": '{"MAX_FRAMES": 10, "ALLOW_GPS": true, "LOG_LEVEL": "DEBUG"}'})
    settings = Settings.from_environment(said)
    assert (settings.limits.max_frames, settings.access.allow_gps, settings.process.log_level) == (10, True, "DEBUG")


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ('{"MAX_FRAME": 10}', "`MAX_FRAME`"),
        ('{"PRESETS": "{}"}', "`PRESETS`, which the environment"),
        ('{"MAX_FRAMES": "many"}', "MAX_FRAMES must be"),
        ('{"MAX_FRAMES": [1]}', "EXTRA_SETTINGS must be a JSON object"),
        ('{"MAX_FRAMES": 1', "EXTRA_SETTINGS must be a JSON object"),
        ('{"AWS_ACCESS_KEY_ID": "x"}', "`AWS_ACCESS_KEY_ID`"),
    ],
)
def test_extra_settings_are_checked(extra: str, words: str) -> None:
    with pytest.raises(SettingsError) as told:
        Settings.from_environment(environment({**LEAST, "ExtraSettings": extra}))
    assert words in str(told.value)


def test_without_a_time_of_deployment_the_image_has_its_own() -> None:
    assert "DEPLOYED_AT" not in environment(LEAST)


@given(st.text("sig*e,xp_aturn", max_size=14))
def test_ignored_names_that_pass_the_template_pass_the_function(patterns: str) -> None:
    assume("IgnoredParameters" not in Stack({**LEAST, "IgnoredParameters": patterns}).refused())
    IgnoredParameters(patterns)


def test_the_function_ends_before_the_gateway_does() -> None:
    resources = Stack(LEAST).resources
    function, integration = resources["Function"], resources["ApiIntegration"]
    seconds = int(function["Environment"]["Variables"]["MAX_SECONDS"])
    assert seconds + 2 <= function["Timeout"] <= integration["TimeoutInMillis"] / 1000


def test_the_heavy_function_is_told_the_same() -> None:
    """But for uploads, purges, pages and to whom heavy work is handed: all that is the ordinary one's."""
    for name, parameters in stacks().items():
        with case(name):
            resources = Stack(parameters).resources
            assert ("HeavyWorker" in resources) is (parameters.get("HeavyFunction") != "No")
            if "HeavyWorker" not in resources:
                continue
            ordinary, heavy = (
                dict(resources[name]["Environment"]["Variables"]) for name in ("Function", "HeavyWorker")
            )
            assert ordinary.pop("HEAVY_FUNCTION") in ("HeavyWorker", "HeavyWorker:live")
            assert int(ordinary.pop("MAX_SECONDS")) - int(heavy.pop("MAX_SECONDS")) == 2
            for variable in ("DISTRIBUTION_ID", "RECORDS", "UPLOAD_SOURCE", "UPLOAD_QUEUE", "DEMO_BUCKET"):
                del ordinary[variable]
            # It serves the gallery's pictures, and has no gallery.
            assert heavy.pop("PRIVATE_SOURCES", "") == ordinary.get("GALLERY_SOURCE", "")
            ordinary = {name: value for name, value in ordinary.items() if name not in OF_THE_GALLERY}
            assert ordinary == heavy


def test_the_upload_function_is_told_what_it_needs() -> None:
    """Where originals and results are stored and what is made of them; nothing of HTTP and of its secrets."""
    for name, parameters in stacks().items():
        with case(name):
            resources = Stack(parameters).resources
            has_bucket = parameters.get("UploadBucket", "") != "" or parameters.get("CreateUploadBuckets") == "Yes"
            takes = has_bucket or parameters.get("DeployGallery") == "Yes"
            assert ("UploadFunction" in resources) is takes
            if "UploadFunction" not in resources:
                continue
            said = resources["UploadFunction"]["Environment"]["Variables"]
            assert set(said) <= KNOWN
            settings = Settings.from_environment(said)
            output = "variantbucket" if parameters.get("CreateUploadBuckets") == "Yes" else "variations"
            expected = (output, ("thumb", "big")) if has_bucket else ("", ())
            assert (settings.storage.output_bucket, settings.storage.upload_presets) == expected
            assert settings.processing.uploads_only
            assert settings.records.database == "dynamodb://Records"
            assert not any("SECRET" in variable or "TOKEN" in variable for variable in said)
            assert sum(len(name) + len(value) for name, value in said.items()) < 4096
            ordinary = environment(parameters)
            same = set(said) & set(ordinary) - {"MAX_SECONDS", "SOURCE_BUCKETS"}
            assert {"REQUIRE_TAG", "RECORDS", "DISTRIBUTION_ID", "RESULTS_BUCKET"} <= same
            assert {variable: said[variable] for variable in same} == {
                variable: ordinary[variable] for variable in same
            }
            own, every = (each["SOURCE_BUCKETS"].split(",") for each in (said, ordinary))
            assert own == [source for source in every if not source.startswith("samples=")]


def test_the_longest_presets_fit_into_the_environment() -> None:
    """Lambda takes 4 KB of all variables together."""
    declared = template()["Parameters"]
    longest = {
        name: "{" + " " * (declared[name]["MaxLength"] - 2) + "}" for name in ("Presets", "Always", "ExtraSettings")
    }
    stack = Stack({**stacks()["everything"], **longest})
    assert stack.refused() == []
    for function in ("Function", "HeavyWorker", "UploadFunction"):
        said = stack.resources[function]["Environment"]["Variables"]
        assert sum(len(name) + len(value) for name, value in said.items()) < 4096 - 256
    assert Stack({**LEAST, "Presets": longest["Presets"] + " "}).refused() == ["Presets"]
