"""What only a folder can do wrong."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from handler.core.errors import Forbidden, NotFound, UpstreamError
from handler.storage.sources import Sources, open_sources
from imaging import ObjectRef


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "outside.jpg").write_bytes(b"outside")
    (tmp_path / "pictures" / "deep").mkdir(parents=True)
    (tmp_path / "pictures" / "deep" / "cat.jpg").write_bytes(b"cat")
    return tmp_path / "pictures"


@pytest.fixture
def sources(folder: Path) -> Sources:
    return open_sources(f"local={folder.as_uri()}", limit=100)


def test_a_link_within_the_folder_is_followed(folder: Path, sources: Sources) -> None:
    (folder / "link.jpg").symlink_to("deep/cat.jpg")
    (folder / "links").symlink_to("deep")
    assert sources.get(ObjectRef("", "link.jpg")).read() == b"cat"
    assert sources.get(ObjectRef("", "links/cat.jpg")).read() == b"cat"


@pytest.mark.parametrize("target", ["../outside.jpg", "/etc/passwd", "circle", "missing"])
def test_a_link_that_leads_out_of_the_folder_does_not_exist(folder: Path, sources: Sources, target: str) -> None:
    (folder / "circle").symlink_to(target)
    with pytest.raises(NotFound):
        sources.get(ObjectRef("", "circle"))
    assert [info.ref.key for info in sources.list("", "")] == ["deep/cat.jpg"]


def test_a_linked_folder_outside_does_not_exist(folder: Path, sources: Sources) -> None:
    (folder / "out").symlink_to("..")
    with pytest.raises(NotFound):
        sources.get(ObjectRef("", "out/outside.jpg"))


def test_a_folder_beside_it_whose_name_begins_alike(folder: Path, sources: Sources) -> None:
    beside = folder.with_name("pictures-private")
    beside.mkdir()
    (beside / "cat.jpg").write_bytes(b"private")
    (folder / "link.jpg").symlink_to(beside / "cat.jpg")
    with pytest.raises(NotFound):
        sources.get(ObjectRef("", "link.jpg"))


def test_folders_and_pipes_are_no_objects(folder: Path, sources: Sources) -> None:
    os.mkfifo(folder / "pipe")
    for key in ("deep", "pipe"):
        with pytest.raises(NotFound):
            sources.get(ObjectRef("", key))


def test_a_file_of_someone_else(sources: Sources, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object) -> int:
        raise PermissionError(errno.EACCES, "not yours")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(Forbidden) as refused:
        sources.get(ObjectRef("", "deep/cat.jpg"))
    assert "not yours" in refused.value.detail


def test_a_name_that_only_files_may_have(folder: Path, sources: Sources) -> None:
    (folder / "two\nlines.jpg").write_bytes(b"legal")
    assert sources.get(ObjectRef("", "two\nlines.jpg")).read() == b"legal"


def test_the_etag_follows_time_and_size(folder: Path, sources: Sources) -> None:
    cat = ObjectRef("", "deep/cat.jpg")
    before = sources.head(cat).etag
    assert sources.head(cat).etag == before
    os.utime(folder / "deep" / "cat.jpg", ns=(0, 1_700_000_000_000_000_001))
    after = sources.head(cat)
    assert after.etag != before
    assert after.last_modified.timestamp() == pytest.approx(1_700_000_000)


def test_an_object_that_is_replaced_while_it_is_read(folder: Path, sources: Sources) -> None:
    """What was opened stays what it was: editors and this project replace files by renaming."""
    stored = sources.get(ObjectRef("", "deep/cat.jpg"))
    (folder / "new").write_bytes(b"another cat")
    (folder / "new").replace(folder / "deep" / "cat.jpg")
    assert stored.read() == b"cat"


def test_a_shortage_of_descriptors_is_a_failure_and_not_a_missing_file(
    sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> int:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(UpstreamError, match="the request to bucket `local` failed"):
        sources.get(ObjectRef("", "deep/cat.jpg")).read()
