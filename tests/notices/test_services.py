"""Which addresses are taken, what a receiver's answer means, and that nothing secret is said of either."""

import logging
from io import StringIO
from typing import Any

import pytest
import requests

from notices import services
from notices.services import BadAddress, longest, send, service_of
from tests.notices.receiver import Receiver

GOOD = {
    "wecombot://12345678-1234-1234-1234-123456789012": "wecombot",
    "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=12345678-1234-1234-1234-123456789012": "wecombot",
    "wechat://corp:secret@1000001/@all": "wechat",
    "dingtalk://secret@abcdefgh/": "dingtalk",
    "feishu://abc-def-123456": "feishu",
    "mailto://user:password@example.com?to=someone@example.com": "mailto",
    "mailtos://user:password@smtp.example.com": "mailtos",
    "jsons://gateway.example/sms": "jsons",
    "form://gateway.example": "form",
    "xml://gateway.example": "xml",
}


class TestAnAddress:
    @pytest.mark.parametrize("url", GOOD)
    def test_belongs_to_a_service(self, url: str) -> None:
        assert service_of(url) == GOOD[url]

    @pytest.mark.parametrize(
        "url",
        ["", "s3cret", "syslog://s3cret", "file:///s3cret", "https://s3cret.example/", "bark://s3cret", "json://"],
    )
    def test_of_another_is_refused_without_being_repeated(self, url: str) -> None:
        with pytest.raises(BadAddress) as refused:
            service_of(url)
        assert "s3cret" not in str(refused.value)

    def test_that_looks_like_wecom_and_is_not_gets_a_hint(self) -> None:
        with pytest.raises(BadAddress, match="wecombot://"):
            service_of("wecom://token")

    def test_of_wecom_has_room_for_less(self) -> None:
        assert longest("wecombot") < longest("dingtalk")


class TestAWebhook:
    def test_takes_a_message_by_a_good_status(self, receiver: Receiver) -> None:
        assert send(receiver.url(), "标题", "正文") is None
        assert [(each["title"], each["message"]) for each in receiver.messages] == [("标题", "正文")]

    @pytest.mark.parametrize("status", [400, 403, 429, 500])
    def test_refuses_by_a_bad_one(self, receiver: Receiver, status: int) -> None:
        receiver.status = status
        assert send(receiver.url(), "t", "b") == f"HTTP {status}"

    def test_leads_nowhere_else(self, receiver: Receiver, other: Receiver) -> None:
        receiver.status, receiver.headers = 307, {"Location": other.url("http")}
        assert (send(receiver.url(), "t", "b"), other.messages) == ("HTTP 307", [])

    def test_that_hangs_is_given_up(self, receiver: Receiver) -> None:
        receiver.hangs = True
        assert send(receiver.url().replace("rto=10", "rto=0.2"), "t", "b") == "read timeout"

    def test_that_is_not_there_says_so(self) -> None:
        assert send("json://127.0.0.1:1/", "t", "b") == "connection error"


class TestARobot:
    """Answers 200 whatever happened; the truth is a number in the body."""

    @pytest.fixture
    def robot(self, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Receiver:
        service_of("dingtalk://abcdefgh/")
        from apprise.plugins.dingtalk import NotifyDingTalk
        from apprise.plugins.feishu import NotifyFeishu

        door = receiver.url("http", "send")
        monkeypatch.setattr(NotifyDingTalk, "notify_url", door)
        monkeypatch.setattr(NotifyFeishu, "notify_url", door)
        return receiver

    @pytest.mark.parametrize(
        ("url", "body", "outcome"),
        [
            ("dingtalk://abcdefgh/", '{"errcode": 0, "errmsg": "ok"}', None),
            ("dingtalk://abcdefgh/", '{"errcode": 310000, "errmsg": "keywords not in content"}', "code 310000"),
            ("dingtalk://abcdefgh/", "<html>", "answer not understood"),
            ("feishu://abc-def-123456", '{"code": 0, "msg": "success"}', None),
            ("feishu://abc-def-123456", '{"StatusCode": 0, "StatusMessage": "success"}', None),
            ("feishu://abc-def-123456", '{"code": 9499, "msg": "Bad Request"}', "code 9499"),
        ],
    )
    def test_is_believed_by_its_number(self, robot: Receiver, url: str, body: str, outcome: str | None) -> None:
        robot.body = body.encode()
        assert send(url, "标题", "案卷") == outcome
        assert len(robot.messages) == 1


class TestForbiddenPlaces:
    @pytest.mark.parametrize(
        "host", ["169.254.169.254", "100.100.100.200", "[fe80::1]", "[fd00:ec2::254]", "[::ffff:169.254.169.254]"]
    )
    @pytest.mark.parametrize("scheme", ["json", "form"])
    def test_are_where_clouds_tell_their_secrets(self, scheme: str, host: str) -> None:
        assert send(f"{scheme}://{host}/", "t", "b") == "禁止访问此地址。 this address is not allowed"

    def test_are_so_for_mail_too(self) -> None:
        assert "not allowed" in str(send("mailto://u:p@example.com?smtp=169.254.169.254", "t", "b"))

    def test_are_known_by_name_as_well(self, monkeypatch: pytest.MonkeyPatch) -> None:
        there = [(0, 0, 0, "", ("169.254.169.254", 0))]
        monkeypatch.setattr("socket.getaddrinfo", lambda *_args, **_kwargs: there)
        assert "not allowed" in str(send("json://harmless.example/", "t", "b"))


class TestOthersWhoSpeakHttp:
    def test_are_left_alone(self, receiver: Receiver) -> None:
        send(receiver.url(), "t", "b")
        receiver.status = 500
        assert requests.post(receiver.url("http"), json={"title": "theirs"}, timeout=5).status_code == 500


class TestSecrets:
    def test_are_in_no_log_whatever_happens(self, receiver: Receiver) -> None:
        written = StringIO()
        root, handler = logging.getLogger(), logging.StreamHandler(written)
        level = root.level
        root.addHandler(handler)
        root.setLevel(logging.DEBUG)
        try:
            receiver.status = 500
            refusals = [
                send(receiver.url(path="s3cret", password="s3cret"), "t", "b"),
                send("json://user:s3cret@127.0.0.1:1/s3cret", "t", "b"),
                send("dingtalk://s3cret@s3cret-s3cret/", "t", "b"),
                send("nothing://s3cret", "t", "b"),
            ]
        finally:
            root.removeHandler(handler)
            root.setLevel(level)
        assert None not in refusals
        assert "s3cret" not in written.getvalue() + str(refusals)

    def test_are_not_in_what_a_channel_looks_like(self) -> None:
        from domain.policy import Audience
        from store.notices import Channel
        from store.tables import ChannelRow

        row: dict[str, Any] = {"id": "x", "url": "json://s3cret"}
        assert "s3cret" not in repr(Channel("x", "json", "json://s3cret", Audience.UNIT))
        assert "s3cret" not in repr(ChannelRow(**row))

    def test_are_known_to_no_service_by_mistake(self) -> None:
        assert {"wecom", "bark", "syslog", "apprise"}.isdisjoint(services.SERVICES)
