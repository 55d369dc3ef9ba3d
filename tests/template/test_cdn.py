"""The distribution and the API behind it: what goes where, what is passed on, what is kept."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from tests.template.samples import GALLERY, LEAST, UPLOADS, VALUES, stacks
from tests.template.stack import TEMPLATE, Stack, template
from tests.tools import case

from handler.entrypoints.http import ORIGIN_HEADER
from handler.pages import build_policy
from handler.requests.client_hints import HEADERS
from handler.response import CACHE_TAG

CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
ALL_VIEWER_EXCEPT_HOST = "b689b0a8-53d0-40ab-baf2-68738e2966ac"


def distribution(**parameters: str) -> dict[str, Any]:
    config: dict[str, Any] = Stack({**LEAST, **parameters}).resources["Distribution"]["DistributionConfig"]
    return config


def behaviour_of(path: str, config: dict[str, Any]) -> dict[str, Any]:
    """The first that matches, as CloudFront chooses."""
    for behaviour in config["CacheBehaviors"]:
        if re.fullmatch(re.escape(behaviour["PathPattern"]).replace(r"\*", ".*"), path):
            return dict(behaviour)
    return dict(config["DefaultCacheBehavior"])


def test_every_behaviour_has_an_origin_and_the_tags_stay_inside() -> None:
    for name, parameters in stacks().items():
        with case(name):
            stack = Stack(parameters)
            for made in stack.of_type("AWS::CloudFront::Distribution").values():
                config = made["DistributionConfig"]
                origins = [origin["Id"] for origin in config["Origins"]]
                assert len(set(origins)) == len(origins)
                for behaviour in [config["DefaultCacheBehavior"], *config["CacheBehaviors"]]:
                    assert behaviour["TargetOriginId"] in origins
                    assert behaviour["Compress"] is not behaviour.get("PathPattern", "").startswith("/_api/")
                    policy = stack.resources[behaviour["ResponseHeadersPolicyId"]]["ResponseHeadersPolicyConfig"]
                    assert policy["RemoveHeadersConfig"]["Items"] == [{"Header": CACHE_TAG}]
                    assert policy["SecurityHeadersConfig"]["ContentTypeOptions"] == {"Override": True}
                assert config["CacheTagConfig"] == {"HeaderName": CACHE_TAG}
                assert ("Aliases" in config) is ("AcmCertificateArn" in config["ViewerCertificate"])


@pytest.mark.parametrize(
    ("path", "origin", "methods"),
    [
        ("/", "api", {"GET", "HEAD", "OPTIONS"}),
        ("/photos/cat.jpg", "api", {"GET", "HEAD", "OPTIONS"}),
        ("/eyJrZXkiOiJjYXQuanBnIn0=", "api", {"GET", "HEAD", "OPTIONS"}),
        ("/_key/_api/cat.jpg", "api", {"GET", "HEAD", "OPTIONS"}),
        ("/_health", "api", {"GET", "HEAD", "OPTIONS"}),
        ("/_p/L2NhdC5qcGc", "api", {"GET", "HEAD", "OPTIONS"}),
        ("/_api/openapi.json", "api", {"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"}),
        ("/_api/transform", "api", {"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"}),
        ("/_results/0123", "results", {"GET", "HEAD"}),
        ("/_demo/index.html", "demo", {"GET", "HEAD"}),
    ],
)
def test_where_a_path_goes(path: str, origin: str, methods: set[str]) -> None:
    behaviour = behaviour_of(path, distribution())
    assert behaviour["TargetOriginId"] == origin
    assert set(behaviour["AllowedMethods"]) == methods


def test_the_demo_page_may_do_what_it_may_on_a_laptop() -> None:
    policy = Stack(LEAST).resources["DemoHeadersPolicy"]["ResponseHeadersPolicyConfig"]["SecurityHeadersConfig"]
    # Beside the page's own host a stack's redirects lead to the results bucket, where a picture is not open to all.
    said = policy["ContentSecurityPolicy"]["ContentSecurityPolicy"]
    bucket = " https://resultsbucket.regionaldomainname"
    assert said.count(bucket) == 2
    assert said.replace(bucket, "") == build_policy()
    assert [part.strip().split()[0] for part in said.split(";") if bucket in part] == ["img-src", "connect-src"]


@pytest.mark.parametrize("origin", ["", "https://shop.example"])
def test_scripts_read_a_large_picture_where_they_may_read_a_small_one(origin: str) -> None:
    made = Stack({**LEAST, "CorsOrigin": origin}).resources
    policy = made["ResultHeadersPolicy"]["ResponseHeadersPolicyConfig"]
    allowed = policy.get("CorsConfig", {}).get("AccessControlAllowOrigins", {}).get("Items", [])
    assert allowed == ([origin] if origin else [])
    (rule,) = made["ResultsBucket"]["CorsConfiguration"]["CorsRules"]
    assert (rule["AllowedMethods"], rule["AllowedOrigins"]) == (["GET", "HEAD"], ["*"])


def test_the_api_s_log_holds_no_address_that_a_signature_opens() -> None:
    (stage,) = Stack(LEAST).of_type("AWS::ApiGatewayV2::Stage").values()
    said = json.loads(stage["AccessLogSettings"]["Format"])
    assert said["route"] == "$context.routeKey"
    assert "$context.path" not in said.values()


def test_the_api_is_asked_through_the_edge_function_alone() -> None:
    """On every behaviour before it, so that no header or path of a viewer's own passes for the edge's."""
    config = distribution()
    for behaviour in [config["DefaultCacheBehavior"], *config["CacheBehaviors"]]:
        if behaviour["TargetOriginId"] == "api":
            (associated,) = behaviour["FunctionAssociations"]
            assert associated["EventType"] == "viewer-request"
            assert associated["FunctionARN"].endswith("ViewerRequest")


def test_pictures_are_named_by_the_whole_query_and_accept() -> None:
    stack = Stack(LEAST)
    policy = stack.resources["PictureCachePolicy"]["CachePolicyConfig"]
    named = policy["ParametersInCacheKeyAndForwardedToOrigin"]
    assert behaviour_of("/cat.jpg", distribution())["CachePolicyId"] == "PictureCachePolicy"
    assert "OriginRequestPolicyId" not in behaviour_of("/cat.jpg", distribution())
    assert named["QueryStringsConfig"] == {"QueryStringBehavior": "all"}
    assert named["HeadersConfig"] == {"HeaderBehavior": "whitelist", "Headers": ["Accept"]}
    hinted = Stack({**LEAST, "ClientHints": "Yes"}).resources["PictureCachePolicy"]["CachePolicyConfig"]
    keyed = hinted["ParametersInCacheKeyAndForwardedToOrigin"]["HeadersConfig"]["Headers"]
    assert keyed == ["Accept", *HEADERS]
    assert named["CookiesConfig"] == {"CookieBehavior": "none"}
    assert named["EnableAcceptEncodingGzip"]
    assert named["EnableAcceptEncodingBrotli"]
    assert policy["MinTTL"] == 0


def test_the_operator_s_doors_are_never_cached_and_see_the_token() -> None:
    behaviour = behaviour_of("/_api/sign", distribution())
    assert behaviour["CachePolicyId"] == CACHING_DISABLED
    assert behaviour["OriginRequestPolicyId"] == ALL_VIEWER_EXCEPT_HOST
    assert behaviour["ViewerProtocolPolicy"] == "https-only"


def test_errors_are_kept_for_seconds() -> None:
    kept = {each["ErrorCode"]: each["ErrorCachingMinTTL"] for each in distribution()["CustomErrorResponses"]}
    assert set(kept) == {404, 414, 500, 501, 502, 503, 504}
    assert max(kept.values()) <= 5
    assert max(seconds for code, seconds in kept.items() if code >= 500) <= 1


def test_the_secret_of_the_origin_is_resolved_and_never_spelled() -> None:
    api = distribution()["Origins"][0]
    (header,) = api["OriginCustomHeaders"]
    assert header["HeaderName"] == ORIGIN_HEADER
    assert re.fullmatch(r"\{\{resolve:secretsmanager:arn:[^}]+OriginSecret-[^}:]+\}\}", header["HeaderValue"])
    version = VALUES["OriginSecretVersion"][0]
    (rotated,) = distribution(OriginSecretVersion=version)["Origins"][0]["OriginCustomHeaders"]
    assert rotated["HeaderValue"].endswith(f":SecretString:::{version}}}}}")


def test_the_bucket_is_asked_for_public_results_alone() -> None:
    results = next(origin for origin in distribution()["Origins"] if origin["Id"] == "results")
    assert results["OriginPath"] == "/public"
    assert results["OriginAccessControlId"] == "BucketAccess"


def test_an_svg_among_the_results_runs_no_script() -> None:
    policy = Stack(LEAST).resources["ResultHeadersPolicy"]["ResponseHeadersPolicyConfig"]["SecurityHeadersConfig"]
    assert policy["ContentSecurityPolicy"]["ContentSecurityPolicy"].startswith("sandbox; default-src 'none'")


def test_routes_of_the_gateway() -> None:
    """One for everything, and one for the operator's doors, which is throttled."""
    stack = Stack(LEAST)
    routes = {route["RouteKey"] for route in stack.of_type("AWS::ApiGatewayV2::Route").values()}
    throttled = stack.resources["ApiStage"]["RouteSettings"]
    every = Stack({**LEAST, "RateLimit": "7", "BurstLimit": "9"}).resources["ApiStage"]["DefaultRouteSettings"]
    assert every == {"ThrottlingRateLimit": "7", "ThrottlingBurstLimit": "9"}
    assert routes == {"$default", "ANY /_api/{proxy+}"}
    assert set(throttled) == {"ANY /_api/{proxy+}"}
    assert throttled["ANY /_api/{proxy+}"]["ThrottlingRateLimit"] == "20"
    assert stack.template["Resources"]["ApiStage"]["DependsOn"] == "OperatorRoute"
    assert stack.resources["ApiStage"]["StageName"] == "$default"
    assert stack.resources["ApiIntegration"]["PayloadFormatVersion"] == "2.0"
    assert json.loads(stack.resources["ApiStage"]["AccessLogSettings"]["Format"])


def test_a_site_s_own_distribution_gets_all_it_needs() -> None:
    stack = Stack({**LEAST, "ExistingDistributionId": "E1ABCDEFGHIJKL"})
    needed = {"ApiDomain", "OriginSecretHeader", "OriginSecretArn", "EdgeFunctionArn", "CachePolicyId"}
    assert needed <= set(stack.outputs)
    assert stack.outputs["OriginSecretHeader"] == ORIGIN_HEADER
    assert "CdnUrl" not in stack.outputs
    assert stack.of_type("AWS::CloudFront::Distribution") == {}


def test_names_that_an_account_has_once_carry_the_stack_s_id() -> None:
    stack = Stack(LEAST)
    named = ["ViewerRequest", "PictureCachePolicy", "PictureHeadersPolicy", "ResultHeadersPolicy", "BucketAccess"]
    for name in named:
        said = json.dumps(stack.resources[name])
        (own,) = re.findall(r'"Name": "([^"]+)"', said)
        assert own.endswith("-51af3dc0-da77-11e4-872e-1234567db123")
        assert len(own) <= 64


def test_kept_warm_copies_are_what_is_asked() -> None:
    parameters = {"ProvisionedConcurrency": "2", "DeployedAt": "2026-01-31T12:00:00Z"}
    stack = Stack({**LEAST, **parameters})
    assert stack.resources["ApiIntegration"]["IntegrationUri"].endswith(":function:Function:live")
    assert stack.resources["ApiPermission"]["FunctionName"].endswith(":function:Function:live")
    assert parameters["DeployedAt"] in stack.resources["FunctionVersion"]["Description"]
    assert Stack(LEAST).resources["ApiIntegration"]["IntegrationUri"].endswith(":function:Function")


def test_the_dashboard_is_json() -> None:
    for parameters in (LEAST, stacks()["everything"], stacks()["everything, own distribution"]):
        assert json.loads(Stack(parameters).resources["Dashboard"]["DashboardBody"])["widgets"]


def test_alarms_tell_whom_they_are_given() -> None:
    topic = VALUES["AlarmTopicArn"][0]
    told = Stack({**LEAST, **UPLOADS, "AlarmTopicArn": topic}).of_type("AWS::CloudWatch::Alarm")
    assert {alarm["MetricName"] for alarm in told.values()} >= {"5xx", "Throttles", "Duration"}
    assert {tuple(alarm["AlarmActions"]) for alarm in told.values()} == {(topic,)}
    assert not [alarm for alarm in Stack(LEAST).of_type("AWS::CloudWatch::Alarm").values() if "AlarmActions" in alarm]


def test_alarms_watch_every_function_and_the_account() -> None:
    alarms = Stack({**LEAST, **UPLOADS}).of_type("AWS::CloudWatch::Alarm").values()
    watched = {
        (alarm["MetricName"], alarm["Dimensions"][0]["Value"])
        for alarm in alarms
        if alarm["Namespace"] == "AWS/Lambda" and "Dimensions" in alarm
    }
    functions = ("Function", "HeavyWorker", "UploadFunction")
    assert {(metric, name) for metric in ("Errors", "Throttles") for name in functions} <= watched
    assert "ClaimedAccountConcurrency" in {alarm["MetricName"] for alarm in alarms}
    assert "ApproximateAgeOfOldestMessage" in {alarm["MetricName"] for alarm in alarms}


def test_the_cdn_s_errors_raise_an_alarm_where_its_metrics_are() -> None:
    assert "CdnErrorAlarm" not in Stack(LEAST).resources
    for parameters, distribution in ((LEAST, "EDISTRIBUTION"), ({**LEAST, "ExistingDistributionId": "E1OWN"}, "E1OWN")):
        alarm = Stack(parameters, region="us-east-1").resources["CdnErrorAlarm"]
        assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/CloudFront", "5xxErrorRate")
        assert {each["Name"]: each["Value"] for each in alarm["Dimensions"]} == {
            "DistributionId": distribution,
            "Region": "Global",
        }


def test_every_role_has_the_boundary_of_the_organisation() -> None:
    boundary = VALUES["PermissionsBoundaryArn"][0]
    bounded = Stack({**LEAST, **UPLOADS, "PermissionsBoundaryArn": boundary}).of_type("AWS::IAM::Role")
    assert {role["PermissionsBoundary"] for role in bounded.values()} == {boundary}
    assert not any("PermissionsBoundary" in role for role in Stack(LEAST).of_type("AWS::IAM::Role").values())


def test_the_secret_of_signed_urls_survives_the_switch_and_the_stack() -> None:
    about = template()["Resources"]["SignatureSecret"]
    assert (about["DeletionPolicy"], about["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({}, ["without a signature", "no feature that runs a model", "samples of the demo page", "500 cache misses"]),
        ({"EnableSignature": "Yes", "DeployDemoUI": "No"}, ["signed URLs only", "no feature that runs a model"]),
        ({"PublicFeatures": "redEye"}, ["without a signature: redEye", "but the account's (HeavyReservedConcurrency)"]),
        ({"HeavyReservedConcurrency": "5"}, ["5 model runs at the same time"]),
    ],
)
def test_the_outputs_say_what_is_open(parameters: dict[str, str], words: list[str]) -> None:
    said = Stack({**LEAST, **parameters}).outputs["PublicAccess"]
    assert all(word in said for word in words), said
    assert ("demo page" in said) is (parameters.get("DeployDemoUI") != "No")


def test_the_guide_to_a_distribution_of_the_site_s_own_names_what_there_is() -> None:
    """Every output that it names exists there, and every one that only such a site needs is named."""
    guide = (TEMPLATE.parents[1] / "docs/deploy-existing-distribution.md").read_text("utf-8")
    attached_to = {"ExistingDistributionId": "E1ABCDEFGHIJKL", "EnableSignature": "Yes", "VerifyAtEdge": "Yes"}
    outputs = Stack({**LEAST, **attached_to, **GALLERY, "GalleryOrigin": "https://a.example"}).outputs
    named = set(re.findall(r"`([A-Z]\w+)`", guide))
    attached = {name for name in outputs if name.endswith(("PolicyId", "FunctionArn"))}
    attached |= {"ApiDomain", "OriginSecretHeader", "OriginSecretArn", "ResultsBucketName", "DemoBucketName"}
    assert attached <= named & set(outputs)
    assert named <= {
        *outputs,
        *template()["Parameters"],
        "CachingDisabled",
        "CachingOptimized",
        "AllViewerExceptHostHeader",
    }
    config = Stack({**LEAST, **GALLERY}).resources["Distribution"]["DistributionConfig"]
    for behaviour in config["CacheBehaviors"]:
        assert f"Behaviour `{behaviour['PathPattern']}`" in guide
    assert json.dumps({"HeaderName": config["CacheTagConfig"]["HeaderName"]}) in guide
    assert f"response timeout {config['Origins'][0]['CustomOriginConfig']['OriginReadTimeout']} seconds" in guide
