"""Which detector a function uses in which region of AWS."""

from __future__ import annotations

import boto3
import pytest
from tests.client import Client
from tests.stand_ins.rekognition import Rekognition
from tests.weights import PHOTOS

from handler.detection.regions import REKOGNITION_REGIONS

FACE = (0.4, 0.2, 0.2, 0.3)


def test_the_table_of_regions_is_that_of_aws() -> None:
    session = boto3.session.Session()
    partitions = ("aws", "aws-us-gov", "aws-cn", "aws-eusc")
    known = {region for name in partitions for region in session.get_available_regions("rekognition", name)}
    assert known == REKOGNITION_REGIONS


@pytest.mark.parametrize(
    ("settings", "called"),
    [
        ({"AWS_REGION": "eu-north-1"}, None),
        ({"AWS_REGION": "eu-west-1"}, "eu-west-1"),
        ({"AWS_REGION": "eu-north-1", "REKOGNITION_REGION": "eu-central-1"}, "eu-central-1"),
        ({"AWS_REGION": "eu-west-1", "VISION": "local"}, None),
        ({"AWS_REGION": "eu-north-1", "VISION": "rekognition"}, "eu-north-1"),
        ({"AWS_REGION": "eu-west-1", "AWS_LAMBDA_FUNCTION_NAME": ""}, None),
    ],
)
def test_auto_asks_rekognition_where_there_is_one(
    rekognition: Rekognition, settings: dict[str, str], called: str | None
) -> None:
    rekognition.faces = [FACE]
    function = {"AWS_LAMBDA_FUNCTION_NAME": "images", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "3008"}
    service = {**rekognition.environment, **function, "VISION": "auto", "PUBLIC_FEATURES": "*", **settings}
    client = Client({**service, "SOURCE_BUCKETS": f"photos=file://{PHOTOS}"})
    assert client.get("/retina.jpg?feature=smartCropping&width=40&height=40").status == 200
    assert rekognition.regions == ({called} if called else set())
