"""The gallery in a stack: what the CDN passes on, who may upload to the bucket, when pictures are deleted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.template.cdn import CACHING_DISABLED
from tests.template.edge import Edge, Viewer, run
from tests.template.policies import Ask, allows, resource_statements
from tests.template.samples import GALLERY, LEAST, OWN_UPLOADS, UPLOADS, VALUES
from tests.template.stack import ACCOUNT, REGION, Stack, template

from handler.entrypoints.gallery.request import CSRF_HEADER, SECURE_COOKIE

ALIASES = {"Aliases": VALUES["Aliases"][0], "CertificateArn": VALUES["CertificateArn"][0]}
OWN_DISTRIBUTION = {"ExistingDistributionId": "E1ABCDEFGHIJKL", "GalleryOrigin": "https://images.example.com"}


def resources(**parameters: str) -> dict[str, dict[str, Any]]:
    return Stack({**LEAST, **GALLERY, **parameters}).resources


def behaviours(**parameters: str) -> dict[str, dict[str, Any]]:
    config = resources(**parameters)["Distribution"]["DistributionConfig"]
    return {each["PathPattern"]: each for each in config["CacheBehaviors"]} | {"*": config["DefaultCacheBehavior"]}


def test_without_the_switch_there_is_nothing_of_a_gallery() -> None:
    plain = Stack(LEAST)
    made = {**plain.resources, **plain.outputs}
    assert not [name for name in made if "Gallery" in name]
    assert "Records" not in made
    assert "SignatureSecret" not in made


def test_the_api_gets_the_cookie_and_is_never_cached() -> None:
    api = behaviours()["/_api/gallery/*"]
    assert (api["TargetOriginId"], api["CachePolicyId"]) == ("api", CACHING_DISABLED)
    assert {"POST", "PUT", "PATCH", "DELETE"} <= set(api["AllowedMethods"])
    assert api["ViewerProtocolPolicy"] == "https-only"
    policy = resources()[api["OriginRequestPolicyId"]]["OriginRequestPolicyConfig"]
    assert policy["CookiesConfig"] == {"CookieBehavior": "whitelist", "Cookies": [SECURE_COOKIE]}
    assert policy["HeadersConfig"]["HeaderBehavior"] == "whitelist"
    headers = {header.lower() for header in policy["HeadersConfig"]["Headers"]}
    assert {CSRF_HEADER, "cloudfront-viewer-address", "sec-fetch-site", "origin", "content-type"} <= headers
    assert not headers & {"host", "cookie", "authorization", "x-origin-secret"}
    assert len(headers) <= 10, "more headers need a raised quota"
    assert policy["QueryStringsConfig"] == {"QueryStringBehavior": "all"}


def test_cloudfront_takes_the_gallery_s_behaviour_before_that_of_the_operator() -> None:
    """It takes the first pattern that matches."""
    config = resources()["Distribution"]["DistributionConfig"]
    patterns = [each["PathPattern"] for each in config["CacheBehaviors"]]
    assert patterns.index("/_api/gallery/*") < patterns.index("/_api/*")


def test_no_cookie_reaches_a_picture_or_a_page() -> None:
    made = resources()
    for pattern, behaviour in behaviours().items():
        if pattern not in ("/_api/gallery/*", "/_api/*"):
            assert "OriginRequestPolicyId" not in behaviour, pattern
            policy = made.get(behaviour["CachePolicyId"], {}).get("CachePolicyConfig")
            if policy:  # AWS's own policies for pages and stored results pass no cookies
                cookies = policy["ParametersInCacheKeyAndForwardedToOrigin"]["CookiesConfig"]
                assert cookies == {"CookieBehavior": "none"}


def test_the_page_is_served_from_the_bucket_of_pages() -> None:
    for demo in ("Yes", "No"):
        made = resources(DeployDemoUI=demo)
        page = behaviours(DeployDemoUI=demo)["/_gallery/*"]
        assert page["TargetOriginId"] == "demo"
        assert page["ResponseHeadersPolicyId"] == "GalleryHeadersPolicy"
        assert page["AllowedMethods"] == ["GET", "HEAD"]
        assert made["DemoPage"]["Sites"] == (["demo", "gallery"] if demo == "Yes" else ["gallery"])
        variables = made["DemoFiller"]["Environment"]["Variables"]
        assert variables == {"DEMO_BUCKET": "demobucket", "DEMO_SITES": ",".join(made["DemoPage"]["Sites"])}
        assert ("/_demo/*" in behaviours(DeployDemoUI=demo)) is (demo == "Yes")
    policy = resources()["GalleryHeadersPolicy"]["ResponseHeadersPolicyConfig"]["SecurityHeadersConfig"]
    said = policy["ContentSecurityPolicy"]["ContentSecurityPolicy"]
    sources = {part.split()[0]: part.split()[1:] for part in said.split(";")}
    results = "https://resultsbucket.regionaldomainname"
    pictures = f"https://{resources()['GalleryBucket']['BucketName']}.s3.{REGION}.amazonaws.com"
    assert sources["connect-src"] == ["'self'", results, pictures]
    assert sources["img-src"] == ["'self'", "blob:", results]
    assert sources["script-src"] == sources["style-src"] == ["'self'"]
    assert "unsafe" not in said


@pytest.mark.parametrize(
    ("parameters", "origins"),
    [
        ({}, ["https://distribution.domainname"]),
        (ALIASES, ["https://distribution.domainname", "https://images.example.com", "https://*.cdn.example.com"]),
        ({"CorsOrigin": "*"}, ["https://distribution.domainname"]),
        (OWN_DISTRIBUTION, ["https://images.example.com"]),
    ],
)
def test_only_the_page_of_the_cdn_may_upload(parameters: dict[str, str], origins: list[str]) -> None:
    (rule,) = resources(**parameters)["GalleryBucket"]["CorsConfiguration"]["CorsRules"]
    assert (rule["AllowedMethods"], rule["AllowedOrigins"]) == (["POST"], origins)


def test_bucket_and_table_delete_after_the_same_days() -> None:
    made = resources(GalleryExpireDays="7")
    rules = {rule["Id"]: rule for rule in made["GalleryBucket"]["LifecycleConfiguration"]["Rules"]}
    assert rules["old"] == {"Id": "old", "Status": "Enabled", "ExpirationInDays": "7"}
    assert rules["unfinished"]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
    for function in ("Function", "UploadFunction"):
        assert made[function]["Environment"]["Variables"]["GALLERY_EXPIRE_DAYS"] == "7"
    assert made["Records"]["TimeToLiveSpecification"]["Enabled"]


@pytest.mark.parametrize("beside", [{}, UPLOADS, OWN_UPLOADS])
def test_the_pictures_reach_the_queue_whatever_the_parameters_of_uploads_are(beside: dict[str, str]) -> None:
    prefixed = {"UploadPrefix": "incoming/"} if beside else {}
    made = resources(**beside, **prefixed)
    assert made["GalleryBucket"]["NotificationConfiguration"] == {
        "EventBridgeConfiguration": {"EventBridgeEnabled": True}
    }
    rule = made["GalleryRule"]
    assert rule["EventPattern"]["detail"] == {"bucket": {"name": ["gallerybucket"]}}
    assert {"Object Created", "Object Deleted"} <= set(rule["EventPattern"]["detail-type"])
    assert ("UploadRule" in made) is bool(beside)
    for queue in ("UploadQueue", "FailedUploads"):
        statements = resource_statements(Stack({**LEAST, **GALLERY, **beside}), f"{queue}Policy")
        events = "events.amazonaws.com"
        sent = {"aws:SecureTransport": "true", "aws:SourceArn": f"arn:aws:events:{REGION}:{ACCOUNT}:rule/GalleryRule"}
        assert allows(statements, Ask("sqs:SendMessage", f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}", events, sent))
    assert rule["Targets"][0]["Arn"].endswith(":UploadQueue")


def test_a_scan_of_a_picture_reaches_the_queue() -> None:
    scanned = resources(RequireTag="scanned=clean", DeployDemoUI="No")
    pattern = scanned["GalleryScanRule"]["EventPattern"]
    assert pattern["detail"]["s3ObjectDetails"] == {"bucketName": ["gallerybucket"]}
    assert "GalleryScanRule" not in resources()
    assert "ScanRule" not in scanned


def test_the_gallery_has_a_limit_of_its_own_at_the_gateway() -> None:
    made = resources(GalleryRateLimit="5")
    key = "ANY /_api/gallery/{proxy+}"
    assert made["GalleryRoute"]["RouteKey"] == key
    assert made["GalleryRoute"]["AuthorizationType"] == "CUSTOM"
    settings = made["ApiStage"]["RouteSettings"]
    assert settings[key] == {"ThrottlingRateLimit": "5", "ThrottlingBurstLimit": 200}
    assert settings["ANY /_api/{proxy+}"]["ThrottlingRateLimit"] == "20"
    # A stage whose settings name a route that is not there yet fails.
    linked = Stack({**LEAST, **GALLERY}, linked=("GalleryRoute",)).template["Resources"]["ApiStage"]["Properties"]
    assert "${GalleryRoute}" in str(linked["Description"])
    assert set(Stack(LEAST).resources["ApiStage"]["RouteSettings"]) == {"ANY /_api/{proxy+}"}


def test_the_edge_leaves_the_query_of_the_gallery_as_it_is(edge: Edge) -> None:
    viewers = [
        Viewer("/_api/gallery/pictures", "search=caf%C3%A9+utm&utm_source=x&limit=20&cursor=a%2Fb"),
        Viewer("/_api/gallery/pictures/9f", "b=2&a=1&a=1"),
        Viewer("/%5Fapi/gallery/pictures", "z=1&a=%zz", method="POST"),
    ]
    passed = edge(viewers)
    assert [each.uri for each in passed] == [
        "/_api/gallery/pictures", "/_api/gallery/pictures/9f", "/_api/gallery/pictures"
    ]  # fmt: skip
    assert [each.query for each in passed] == [viewer.query for viewer in viewers]
    (other,) = edge([Viewer("/_api/galleryx/pictures", "b=2&a=1&utm_source=x")])
    assert other.query == "a=1&b=2"


def test_the_home_of_the_gallery_is_its_page(tmp_path: Path) -> None:
    code = resources(DeployDemoUI="No")["DemoIndex"]["FunctionCode"]
    paths = ("/_gallery/", "/_gallery/gallery.css", "/_demo/")
    passed = run(code, [Viewer(path) for path in paths], tmp_path)
    assert [each.uri for each in passed] == ["/_gallery/gallery.html", "/_gallery/gallery.css", "/_demo/index.html"]


def test_the_outputs_lead_to_the_gallery_and_say_who_may_use_it() -> None:
    outputs = Stack({**LEAST, **GALLERY}).outputs
    assert outputs["GalleryUrl"] == "https://distribution.domainname/_gallery/"
    assert outputs["GalleryBucketName"] == "gallerybucket"
    assert "a gallery of 50 pictures for everybody, without a password" in outputs["PublicAccess"]
    closed = Stack({**LEAST, **GALLERY, "UserLimit": "9", "GalleryPasswordSecret": "gallery/password"}).outputs
    assert "a gallery of 9 pictures for everybody with its password" in closed["PublicAccess"]
    attached = Stack({**LEAST, **GALLERY, **OWN_DISTRIBUTION}).outputs
    assert "GalleryUrl" not in attached
    assert {"GalleryHeadersPolicyId", "GalleryRequestPolicyId", "GalleryBucketName", "DemoBucketName"} <= set(attached)


def test_the_pictures_survive_the_switch_and_the_stack() -> None:
    for name in ("GalleryBucket", "Records", "SignatureSecret"):
        about = template()["Resources"][name]
        assert (about["DeletionPolicy"], about["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
