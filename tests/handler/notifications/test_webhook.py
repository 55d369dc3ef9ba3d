"""The webhook: what is sent, that its signature is that of Standard Webhooks, and where no request is sent."""

from __future__ import annotations

import base64
import json
import ssl
from collections.abc import Iterator
from functools import partial

import pytest
from standardwebhooks.webhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError
from tests.handler.notifications.notices import notice
from tests.stand_ins.certificates import server_and_client
from tests.stand_ins.scripted_http import Reply, ScriptedServer, scripted_server

from handler.aws.ssrf_guard import post
from handler.core.errors import UpstreamError
from handler.notifications.payload import message_of
from handler.notifications.sender import SendError
from handler.notifications.webhook import Webhook, parse_key, signature_headers

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PREVIOUS = "whsec_" + base64.b64encode(bytes(range(32))).decode()
MESSAGE = message_of(notice())


class Secrets:
    """The values of a secret."""

    def __init__(self, *values: str) -> None:
        self._values = values

    def values(self, *, refresh: bool = False) -> tuple[str, ...]:
        if not self._values:
            raise UpstreamError("no secret", detail="the secret cannot be read")
        return self._values


@pytest.fixture
def receiver() -> Iterator[ScriptedServer]:
    with scripted_server(lambda _: Reply(204)) as server:
        yield server


def webhook(receiver: ScriptedServer, *secrets: str, allow_private: bool = True) -> Webhook:
    return Webhook(f"{receiver.url}/hooks/images?site=1", Secrets(*secrets or (SECRET,)), allow_private)


def test_the_signature_of_the_specifications_example() -> None:
    body = b'{"test": 2432232314}'
    headers = signature_headers("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body, [parse_key(SECRET)])
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_notice_is_posted_and_can_be_verified(receiver: ScriptedServer) -> None:
    webhook(receiver).send(MESSAGE, 5)
    (request,) = receiver.asked
    assert (request.method, request.path, request.body) == ("POST", "/hooks/images?site=1", MESSAGE.body)
    assert request.headers["content-type"] == "application/json"
    assert request.headers["host"] == receiver.host
    assert request.headers["webhook-id"] == MESSAGE.notice.id
    assert Verifier(SECRET).verify(request.body, dict(request.headers)) == json.loads(MESSAGE.body)
    with pytest.raises(WebhookVerificationError):
        Verifier(SECRET).verify(request.body + b" ", dict(request.headers))
    with pytest.raises(WebhookVerificationError):
        Verifier(SECRET).verify(request.body, {**request.headers, "webhook-id": "another"})


def test_both_secrets_sign_while_one_replaces_the_other(receiver: ScriptedServer) -> None:
    webhook(receiver, SECRET, PREVIOUS).send(MESSAGE, 5)
    (request,) = receiver.asked
    for secret in (SECRET, PREVIOUS):
        assert Verifier(secret).verify(request.body, dict(request.headers))


@pytest.mark.parametrize("status", [301, 307, 308, 400, 410, 429, 500, 503])
def test_any_other_status_is_a_failure_and_redirects_are_not_followed(receiver: ScriptedServer, status: int) -> None:
    receiver.script = lambda _: Reply(status, headers={"Location": "http://169.254.169.254/latest/meta-data"})
    with pytest.raises(SendError, match=str(status)):
        webhook(receiver).send(MESSAGE, 5)
    assert len(receiver.asked) == 1


def test_no_request_is_sent_to_a_private_address(receiver: ScriptedServer) -> None:
    with pytest.raises(SendError, match="WEBHOOK_ALLOW_PRIVATE"):
        webhook(receiver, allow_private=False).send(MESSAGE, 5)
    assert receiver.connections == 0


def test_a_slow_receiver_is_a_failure(receiver: ScriptedServer) -> None:
    receiver.script = lambda _: Reply(before=3)
    with pytest.raises(SendError, match="does not answer"):
        webhook(receiver).send(MESSAGE, 0.2)


def test_a_receiver_that_sends_byte_by_byte_is_a_failure(receiver: ScriptedServer) -> None:
    receiver.script = lambda _: Reply(between=0.1)
    with pytest.raises(SendError, match="does not answer"):
        webhook(receiver).send(MESSAGE, 0.3)


def test_the_body_of_the_response_is_not_waited_for(receiver: ScriptedServer) -> None:
    receiver.script = lambda _: Reply(200, b"x", headers={"Content-Length": "1000000"}, has_length=False)
    webhook(receiver).send(MESSAGE, 5)


def test_no_receiver_is_a_failure_that_does_not_quote_the_url() -> None:
    with scripted_server() as gone:
        url = gone.url
    with pytest.raises(SendError) as caught:
        Webhook(f"{url}/token-in-the-path", Secrets(SECRET), allow_private=True).send(MESSAGE, 5)
    assert "token-in-the-path" not in str(caught.value)


def test_https_verifies_the_certificate(tmp_path_factory: pytest.TempPathFactory) -> None:
    server, client = server_and_client(tmp_path_factory.mktemp("tls"))
    with scripted_server(lambda _: Reply(204), server) as receiver:
        Webhook(receiver.url, Secrets(SECRET), allow_private=True, post=partial(post, tls=client)).send(MESSAGE, 5)
        stranger = ssl.create_default_context()
        with pytest.raises(SendError, match="CERTIFICATE_VERIFY_FAILED"):
            Webhook(receiver.url, Secrets(SECRET), allow_private=True, post=partial(post, tls=stranger)).send(
                MESSAGE, 5
            )
    assert len(receiver.asked) == 1


@pytest.mark.parametrize("secret", ["", "whsec_c2hvcnQ=", "not base64!", "whsec_" + "A" * 88])
def test_an_invalid_secret_is_a_failure_that_does_not_quote_it(receiver: ScriptedServer, secret: str) -> None:
    with pytest.raises(SendError, match="must be base64") as caught:
        Webhook(receiver.url, Secrets(secret), allow_private=True).send(MESSAGE, 5)
    assert not secret or secret not in str(caught.value)
    assert receiver.asked == []


def test_a_secret_that_cannot_be_read_is_a_failure(receiver: ScriptedServer) -> None:
    with pytest.raises(SendError, match="the secret cannot be read"):
        Webhook(receiver.url, Secrets(), allow_private=True).send(MESSAGE, 5)
