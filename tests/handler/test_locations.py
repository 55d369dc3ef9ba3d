"""What SOURCE_BUCKETS may say, and how its faults are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from handler.storage.sources import open_sources, read_locations


def test_buckets_by_name() -> None:
    first, second = read_locations("photos, My.Legacy_Bucket")
    assert (first.name, first.scheme, first.bucket, first.url) == ("photos", "s3", "photos", "s3://photos")
    assert second.bucket == "My.Legacy_Bucket"


def test_a_bucket_with_prefix_region_and_endpoint() -> None:
    (location,) = read_locations(
        "shop=s3://photos/of%20the/shop/?region=eu-west-1&endpoint=https://minio.example:9000/"
    )
    assert (location.name, location.bucket, location.prefix) == ("shop", "photos", "of the/shop")
    assert (location.region, location.endpoint) == ("eu-west-1", "https://minio.example:9000")


def test_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "my, pictures"
    folder.mkdir()
    (tmp_path / "link").symlink_to(folder)
    (location,) = read_locations(f"local={folder.as_uri()}")
    (linked,) = read_locations(f"local={(tmp_path / 'link').as_uri()}")
    assert location.folder == folder
    assert linked.folder == location.folder


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("", "the name of a bucket, or name=URL"),
        ("a bucket", "the name of a bucket, or name=URL"),
        ("=s3://bucket", "the name of a bucket, or name=URL"),
        ("../bucket", "the name of a bucket, or name=URL"),
        ("s3://bucket", "the name of a bucket, or name=URL"),
        ("x=ftp://host/folder", "name=URL with one of s3://, file://, https://, gs://, az://"),
        ("x=http://host", "name=URL with one of s3://, file://, https://, gs://, az://"),
        ("x=", "name=URL with one of s3://, file://, https://, gs://, az://"),
        ("x=bucket", "name=URL with one of s3://, file://, https://, gs://, az://"),
        ("x=s3://", "s3://bucket or s3://bucket/prefix"),
        ("x=s3://bucket?regoin=eu-west-1", "s3://bucket with the options region and endpoint"),
        ("x=s3://bucket?endpoint=minio:9000", "s3://bucket with an endpoint such as https://minio.example.com:9000"),
        ("x=file://host/folder", "file:///folder of a folder that exists"),
        ("x=file:///does/not/exist", "file:///folder of a folder that exists"),
        ("x=file:pictures", "file:///folder of a folder that exists"),
        ("x=https://", "https://host or https://host/prefix"),
        ("x=https://host:port", "https://host or https://host/prefix"),
        ("x=https://user:word@host", "a URL without user, query and fragment"),
        ("x=https://host/?token=1", "a URL without user, query and fragment"),
        ("x=https://host/#part", "a URL without user, query and fragment"),
        ("x=gs://", "gs://bucket or gs://bucket/prefix"),
    ],
)
def test_faults_name_the_entry_and_what_was_expected(entry: str, expected: str) -> None:
    with pytest.raises(ValueError, match="SOURCE_BUCKETS") as fault:
        read_locations(f"photos,{entry}")
    assert str(fault.value) == f"SOURCE_BUCKETS: `{entry}` must be {expected}"


def test_all_faults_are_reported_together() -> None:
    with pytest.raises(ValueError, match="OUTPUT_BUCKET") as fault:
        read_locations("a b,photos,x=ftp://y,photos", "OUTPUT_BUCKET")
    assert str(fault.value).splitlines() == [
        "OUTPUT_BUCKET: `a b` must be the name of a bucket, or name=URL",
        "OUTPUT_BUCKET: `x=ftp://y` must be name=URL with one of s3://, file://, https://, gs://, az://",
        "OUTPUT_BUCKET: `photos` must be an entry whose name no other entry has",
    ]


def test_a_store_that_obstore_refuses_to_open() -> None:
    with pytest.raises(ValueError, match=r"SOURCE_BUCKETS: `az://container` cannot be opened: .*Account"):
        open_sources("photos,cloud=az://container", limit=1)


def test_google_and_azure_open_without_asking_anyone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", "a2V5")
    sources = open_sources("cloud=gs://bucket/prefix,blob=az://container", limit=1)
    assert [location.name for location in sources.locations] == ["cloud", "blob"]
