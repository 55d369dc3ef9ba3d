"""A construct of the AWS CDK that deploys the image service as a nested stack (docs/deploy.md, "CDK and Terraform")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from aws_cdk import CfnStack
from aws_cdk.aws_s3_assets import Asset
from constructs import Construct

TEMPLATES = Path(__file__).resolve().parents[2] / "template"


class ImageHandler(Construct):  # type: ignore[misc]  # the CDK is not installed where types are checked
    """The image service. Give either the container image, or the release that it is built from by AWS CodeBuild.

    >>> images = ImageHandler(self, "Images", source_buckets=["my-photos"], archive_url="https://…/v1.0.0.tar.gz")
    >>> CfnOutput(self, "Url", value=images.output("CdnUrl"))
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        source_buckets: Sequence[str],
        image_uri: str | None = None,
        archive_url: str | None = None,
        parameters: Mapping[str, str] | None = None,
    ) -> None:
        """`parameters` are any others of the template, by their names there, such as `EnableSignature`.

        Raises ValueError unless exactly one of `image_uri` and `archive_url` is given.
        """
        super().__init__(scope, construct_id)
        if (image_uri is None) is (archive_url is None):
            raise ValueError("exactly one of image_uri and archive_url must be given")
        name = "serverless-image-handler-template" if image_uri else "image-handler-launch-template"
        given = {"ImageUri": image_uri} if image_uri else {"ArchiveUrl": archive_url}
        # A template of this size goes through a bucket, as an asset of the CDK does.
        template = Asset(self, "Template", path=str(TEMPLATES / f"{name}.yaml"))
        self.stack = CfnStack(
            self,
            "Stack",
            template_url=template.http_url,
            parameters={**given, "SourceBuckets": ",".join(source_buckets), **(parameters or {})},
        )

    def output(self, name: str) -> str:
        """Return an output of the template, such as `CdnUrl`."""
        return str(self.stack.get_att(f"Outputs.{name}").to_string())
