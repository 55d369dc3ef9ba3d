"""Values that an operator may give: for every parameter its default and at least one that turns something on."""

from __future__ import annotations

from tests.template.stack import ACCOUNT, REGION, template

IMAGE = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/image-handler@sha256:{'ab' * 32}"
LEAST = {"SourceBuckets": "photos,other.photos", "ImageUri": IMAGE}
"""What has no default."""
SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:signing/key-AbCdEf"
VALUES = {
    "SourceBuckets": ["photos", "photos,other.photos"],
    "OtherSources": ["shop=https://shop.example.com/media,a=https://b.example"],
    "KmsKeyArns": [f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1-2,arn:aws:kms:{REGION}:{ACCOUNT}:key/3"],
    "AccessPointArns": [f"arn:aws:s3:{REGION}:{ACCOUNT}:accesspoint/photos"],
    "DataKeyArn": [f"arn:aws:kms:{REGION}:{ACCOUNT}:key/5"],
    "SubnetIds": ["subnet-0123456789abcdef0,subnet-0123abcd"],
    "SecurityGroupIds": ["sg-0123456789abcdef0"],
    "ImageUri": [IMAGE],
    "MemorySize": ["3008", "512", "10240"],
    "ReservedConcurrency": ["5"],
    "HeavyMemorySize": ["3008", "10240"],
    "HeavyReservedConcurrency": ["5"],
    "ResultsExpireAfterDays": ["2"],
    "ProvisionedConcurrency": ["2"],
    "ExtraSettings": ['{"MAX_FRAMES": 10, "ALLOW_GPS": true, "LOG_LEVEL": "DEBUG"}'],
    "DeployedAt": ["2026-01-31T12:00:00Z"],
    "SecretId": ["signing/key", SECRET],
    "SecretKey": ["key"],
    "OperatorRateLimit": ["5"],
    "PermissionsBoundaryArn": [f"arn:aws:iam::{ACCOUNT}:policy/boundary"],
    "ConcurrencyAlarmAt": ["8"],
    "RateLimit": ["500", "10000"],
    "BurstLimit": ["1000", "5000"],
    "PublicFeatures": ["*", "removeBackground,smartCropping"],
    "Presets": ['{"thumb": {"resize": {"width": 100}}, "big": "width=2000"}', "s3://photos/presets.json"],
    "Always": ['{"contentModeration": true}', "s3://photos/always.json"],
    "DefaultPreset": ["thumb"],
    "Dialects": ["query", "json,thumbor,query"],
    "SourcePaths": ["old/=photos", "old/=photos,older/news/=shop"],
    "RewriteMatchPattern": ["/^\\/thumb/g"],
    "RewriteSubstitution": ["/fit-in/300x200"],
    "IgnoredParameters": ["", "*", "utm_*,ref"],
    "FallbackImage": ["errors/not found.png"],
    "CorsOrigin": ["*", "https://www.example.com"],
    "RekognitionRegion": ["eu-central-1"],
    "UploadBucket": ["photos"],
    "UploadPrefix": ["incoming/"],
    "UploadsExpireAfterDays": ["30"],
    "UploadSrcset": ['{"thumb": {"widths": [40, 80], "formats": ["webp", "jpeg"]}}'],
    "UploadSuffix": [".jpg,.png"],
    "OutputKey": ["suffixes", "small/{stem}-{preset}.{ext}"],
    "RequireTag": ["GuardDutyMalwareScanStatus=NO_THREATS_FOUND"],
    "NotifyEmail": ["pictures@example.com"],
    "EventBus": ["", "pictures"],
    "UploadPresets": ["thumb,big"],
    "OutputBucket": ["variations"],
    "UploadMemorySize": ["3008", "10240"],
    "UploadConcurrency": ["2", "1000"],
    "GalleryExpireDays": ["1", "3650"],
    "UserLimit": ["100000"],
    "GalleryMaxBytes": ["0", "1000000000000000"],
    "GalleryPasswordSecret": ["gallery/password", SECRET],
    "GalleryOrigin": ["https://images.example.com"],
    "GalleryRateLimit": ["5"],
    "ExistingDistributionId": ["E1ABCDEFGHIJKL"],
    "Aliases": ["images.example.com,*.cdn.example.com"],
    "CertificateArn": [f"arn:aws:acm:us-east-1:{ACCOUNT}:certificate/12345678-90ab-cdef-1234-567890abcdef"],
    "WebAclArn": [f"arn:aws:wafv2:us-east-1:{ACCOUNT}:global/webacl/mine/12345678-90ab"],
    "OriginShieldRegion": ["eu-central-1"],
    "OriginSecretVersion": ["EXAMPLE1-90ab-cdef-fedc-ba987EXAMPLE"],
    "LogRetentionDays": ["1", "3653"],
    "AlarmTopicArn": [f"arn:aws:sns:{REGION}:{ACCOUNT}:alarms"],
}
_TOGETHER = {
    "SubnetIds": {"SecurityGroupIds": VALUES["SecurityGroupIds"][0]},
    "SecurityGroupIds": {"SubnetIds": VALUES["SubnetIds"][0]},
    "Aliases": {"CertificateArn": VALUES["CertificateArn"][0]},
    "CertificateArn": {"Aliases": VALUES["Aliases"][0]},
    "ProvisionedConcurrency": {"DeployedAt": VALUES["DeployedAt"][0]},
    "TrafficShifting": {"DeployedAt": VALUES["DeployedAt"][0]},
    "SnapStart": {"DeployedAt": VALUES["DeployedAt"][0]},
    "SecretId": {"EnableSignature": "Yes"},
    "VerifyAtEdge": {"EnableSignature": "Yes"},
    "RequireTag": {"DeployDemoUI": "No"},
    "GalleryPasswordSecret": {"DeployGallery": "Yes"},
    "GalleryOrigin": {"DeployGallery": "Yes", "ExistingDistributionId": VALUES["ExistingDistributionId"][0]},
}
GALLERY = {"DeployGallery": "Yes"}
OWN_UPLOADS = {"CreateUploadBuckets": "Yes", "UploadPresets": "thumb,big", "Presets": VALUES["Presets"][0]}
UPLOADS = {
    "UploadBucket": "photos",
    "UploadPresets": "thumb,big",
    "OutputBucket": "variations",
    "Presets": VALUES["Presets"][0],
}


def values(parameter: str) -> list[str]:
    """The default, if there is one, and every other value that matters."""
    about = template()["Parameters"][parameter]
    every = [str(about["Default"])] if "Default" in about else []
    every += map(str, about.get("AllowedValues", []) if parameter not in VALUES else [])
    every += VALUES.get(parameter, [])
    return list(dict.fromkeys(every))


def stacks() -> dict[str, dict[str, str]]:
    """Stacks, each by a name: the smallest, one for every value of every parameter, and those with everything."""
    found = {"least": LEAST}
    for parameter in template()["Parameters"]:
        is_of_uploads = parameter.startswith("Upload") or parameter in (
            "OutputBucket",
            "OutputKey",
            "NotifyEmail",
            "EventBus",
        )
        companions = UPLOADS if is_of_uploads else {}
        companions = OWN_UPLOADS if parameter in ("CreateUploadBuckets", "UploadsExpireAfterDays") else companions
        for value in values(parameter):
            on = value != "" and value != str(template()["Parameters"][parameter].get("Default"))
            beside = {**companions, **_TOGETHER.get(parameter, {})} if on else {}
            found[f"{parameter}={value[:40]}"] = {**LEAST, **beside, parameter: value}
    everything = {name: values(name)[-1] for name in template()["Parameters"]} | UPLOADS | {"RequireTag": ""}
    switches = {
        name: "Yes" for name, about in template()["Parameters"].items() if about.get("Default") in ("Yes", "No")
    }
    switches["SnapStart"] = "No"  # which excludes ProvisionedConcurrency
    snapshots = {"SnapStart": "Yes", "ProvisionedConcurrency": ""}
    # The gallery's URLs hold edits.
    switches["PresetsOnly"] = "No"
    # Either the stack has buckets for uploads, or the user.
    named = {**switches, "CreateUploadBuckets": "No", "UploadsExpireAfterDays": ""}
    found["everything"] = {**everything, **named, "ExistingDistributionId": "", "GalleryOrigin": ""}
    found["everything, own distribution"] = {**everything, **named}
    found["everything, created buckets"] = {
        **everything,
        **switches,
        **dict.fromkeys(("UploadBucket", "OutputBucket", "ExistingDistributionId", "GalleryOrigin"), ""),
    }
    found["everything, snapshots"] = {**found["everything"], **snapshots}
    found["nothing"] = {**LEAST, **dict.fromkeys(switches, "No")}
    return found
