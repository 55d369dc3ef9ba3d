"""The stores to which originals are uploaded: a source in a bucket of S3, or in a local folder."""

from __future__ import annotations

from handler.aws import AwsAccess
from handler.storage.sources import StoreLocation
from handler.storage.upload_stores.store import PART_BYTES, PresignedPost, UploadAttributes, UploadStore

__all__ = ["PART_BYTES", "PresignedPost", "UploadAttributes", "UploadStore", "open_upload_store"]


def open_upload_store(location: StoreLocation, aws: AwsAccess) -> UploadStore:
    """Open a source for uploads. Raise ValueError for a kind of source that cannot be written."""
    # Each kind of store is imported when one is opened, as sources are.
    if location.scheme == "file":
        from handler.storage.upload_stores.folder import FolderUploads  # noqa: PLC0415 - only configured kinds are imported

        return FolderUploads(location)
    if location.scheme == "s3":
        from handler.storage.upload_stores.s3 import S3Uploads  # noqa: PLC0415 - only configured kinds are imported

        return S3Uploads(location, aws)
    raise ValueError(f"UPLOAD_SOURCE must name a source in S3 or in a folder, got `{location.name}`, {location.url}")
