"""The group of settings of the gallery. They are declared like those of `groups`."""

# There is no `from __future__ import annotations` here, for the reason that `groups` states.

from typing import Annotated

import msgspec

from handler.config.env_types import Env, integer


class GallerySettings(msgspec.Struct, frozen=True, kw_only=True):
    """The gallery under /_gallery/, in which visitors without an account keep their pictures."""

    gallery_source: Annotated[
        str,
        Env("GALLERY_SOURCE", "Source in S3 or in a folder that holds the gallery's pictures. Default: no gallery"),
    ] = ""
    gallery_recipes: Annotated[
        tuple[str, ...],
        Env(
            "GALLERY_RECIPES",
            "List of the gallery's recipes in their order: names of built-in recipes and of presets. Default: all "
            "built-in ones that this service can run",
        ),
    ] = ()
    gallery_expire_days: Annotated[
        int, Env("GALLERY_EXPIRE_DAYS", "Days until a picture of the gallery is deleted", integer(1, 3650))
    ] = 30
    user_limit: Annotated[
        int, Env("USER_LIMIT", "Number of pictures that each visitor of the gallery may keep", integer(1, 100_000))
    ] = 50
    gallery_max_bytes: Annotated[
        int,
        Env("GALLERY_MAX_BYTES", "Bytes that all pictures of the gallery may have; 0: no limit", integer(0, 10**15)),
    ] = 10_000_000_000
    gallery_uploads_per_hour: Annotated[
        int,
        Env(
            "GALLERY_UPLOADS_PER_HOUR",
            "Uploads to the gallery in an hour, for each visitor and for each address",
            integer(1, 1_000_000),
        ),
    ] = 200
    gallery_moderation: Annotated[
        int,
        Env(
            "GALLERY_MODERATION",
            "Confidence of a label, in percent, above which a picture is refused and deleted; 0: pictures are not "
            "moderated",
            integer(0, 100),
        ),
    ] = 0
    gallery_password: Annotated[
        str, Env("GALLERY_PASSWORD_SECRET", "ID of the secret in Secrets Manager that holds the gallery's password")
    ] = ""
    gallery_password_file: Annotated[
        str, Env("GALLERY_PASSWORD_FILE", "File that holds the gallery's password; for use without AWS")
    ] = ""
    gallery_fine_tune: Annotated[
        bool, Env("GALLERY_FINE_TUNE", "Let visitors of the gallery edit pictures in the demo page")
    ] = True
