"""The AWS regions in which Rekognition exists."""

REKOGNITION_REGIONS = frozenset(
    {
        *("ap-northeast-1", "ap-northeast-2", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "ap-southeast-5"),
        *("ap-southeast-7", "ca-central-1", "eu-central-1", "eu-south-2", "eu-west-1", "eu-west-2", "il-central-1"),
        *("sa-east-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2", "us-gov-west-1"),
    }
)
"""As boto3's endpoint data lists them, with which a test compares."""
