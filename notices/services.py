"""The services that notices may leave by, all through Apprise: what an address must be, and one message sent.

Apprise is imported with the first address that is looked at: it costs 26 MB, which a house without channels keeps.
Nothing it or its libraries say is logged, for they say addresses, and those are secrets. What is told of a failure is
made here.
"""

import ipaddress
import logging
import re
import socket
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import orjson

from domain.words import Words

#: What may be chosen. Apprise knows 170; most keep messages on servers abroad, some act on this very machine.
SERVICES: dict[str, Words] = {
    "wecombot": ("企业微信群机器人", "WeCom group robot"),
    "wechat": ("企业微信应用", "WeCom app"),
    "dingtalk": ("钉钉群机器人", "DingTalk group robot"),
    "feishu": ("飞书群机器人", "Feishu group robot"),
    "lark": ("飞书国际版群机器人", "Lark group robot"),
    "mailto": ("电子邮件", "e-mail"),
    "mailtos": ("电子邮件（加密）", "e-mail over TLS"),
    "json": ("网络回调", "webhook, JSON"),
    "jsons": ("网络回调（加密）", "webhook, JSON over TLS"),
    "form": ("网络回调", "webhook, form"),
    "forms": ("网络回调（加密）", "webhook, form over TLS"),
    "xml": ("网络回调", "webhook, XML"),
    "xmls": ("网络回调（加密）", "webhook, XML over TLS"),
}
#: Bytes of UTF-8 in one message. WeCom refuses a longer text; the others take more than anybody reads.
_WECOM_BYTES, _BYTES = 2000, 12_000
#: These answer 200 whatever happened, and the truth is a number in the body, which Apprise 2.2 does not read.
_ANSWERING = frozenset({"wecombot", "wechat", "dingtalk", "feishu", "lark"})
_TRUTHS = ("errcode", "code", "StatusCode")
#: Where clouds tell a machine's own secrets to whatever runs on it; fe80::/10 and 169.254/16 are link-local.
_METADATA = frozenset(map(ipaddress.ip_address, ("100.100.100.200", "fd00:ec2::254")))
_SPEAKING = ("apprise", "urllib3", "requests")


class BadAddress(ValueError):
    """Its text, Chinese first, says what is wrong without repeating the address."""


def service_of(url: str) -> str:
    """Which of SERVICES the address belongs to. Raises BadAddress. Nothing is connected."""
    return _service(_plugin(url))


def longest(service: str) -> int:
    """Bytes of UTF-8 that one message may have, its title included."""
    return _WECOM_BYTES if service in {"wecombot", "wechat"} else _BYTES


def send(url: str, title: str, body: str) -> str | None:
    """None once the receiver has taken it; else why not, in a few words without any secret. Blocks; never raises."""
    try:
        plugin = _plugin(url)
        _need_allowed(getattr(plugin, "smtp_host", None))
        with _overheard(_service(plugin)) as heard:
            taken = bool(plugin.notify(body=body, title=title, body_format="text"))
    except BadAddress as error:
        return str(error)
    except Exception as error:  # noqa: BLE001 - a plugin's fault is a failed message, and its text may hold the address
        return type(error).__name__
    if heard.reason:
        return heard.reason
    return None if taken else "not accepted"


class _Heard(threading.local):
    """What the receiver said to the message that this thread is sending; `service` is None while it sends none."""

    service: str | None = None
    reason: str | None = None


_heard = _Heard()


@contextmanager
def _overheard(service: str) -> Iterator[_Heard]:
    _heard.service, _heard.reason = service, None
    try:
        yield _heard
    finally:
        _heard.service = None


def _plugin(url: str) -> Any:  # noqa: ANN401 - likewise
    apprise = _apprise()
    try:
        found = apprise.Apprise.instantiate(url, asset=_asset(), suppress_exceptions=True)
    except Exception:  # noqa: BLE001 - whatever it stumbles over, the address is at fault
        found = None
    if found is None or _service(found) not in SERVICES:
        raise BadAddress(_refusal(url))
    return found


def _service(plugin: Any) -> str:  # noqa: ANN401 - a NotifyBase, whose methods have no types
    """By the scheme it would write itself: an address copied from DingTalk's own page begins with https."""
    return str(plugin.url(privacy=True)).partition(":")[0]


def _refusal(url: str) -> str:
    scheme = url.partition(":")[0].lower()
    if scheme == "wecom":
        return (
            "wecom:// 属于 Pushplus；企业微信请用 wecombot:// 或 wechat://。 wecom:// is Pushplus; WeCom is wecombot://"
        )
    if scheme in SERVICES:
        return f"{scheme}:// 地址不完整。 the {scheme}:// address is not complete"
    known = " ".join(f"{name}://" for name in SERVICES)
    return f"不支持此类地址，请用: {known} this kind of address is not supported; use one of these"


@cache
def _apprise() -> Any:  # noqa: ANN401 - a module
    for name in _SPEAKING:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    with warnings.catch_warnings(action="ignore"):
        import apprise
        import requests

        apprise.Apprise.instantiate("json://localhost")  # brings in the plugins, some of which import what is outdated
    requests.Session.send = _listening(requests.Session.send)  # type: ignore[method-assign]  # the one door to every robot
    return apprise


@cache
def _asset() -> Any:  # noqa: ANN401 - as above
    """No redirects: an address leads where its keeper said. Nothing is kept on the disk, no file is attached."""
    return _apprise().AppriseAsset(
        app_id="rectify", app_desc="rectify", http_redirects=False, storage_mode="memory", async_mode=False
    )


def _listening(plain: Any) -> Any:  # noqa: ANN401 - a method of requests
    """The same door, with an ear to what is answered to a notice. Others who pass through it are left alone."""

    def send(session: Any, request: Any, **options: Any) -> Any:  # noqa: ANN401 - as `requests.Session.send`
        if _heard.service is None:
            return plain(session, request, **options)
        try:
            _need_allowed(urlsplit(request.url).hostname)
            answer = plain(session, request, **options)
        except Exception as error:
            _heard.reason = str(error) if isinstance(error, BadAddress) else _spaced(type(error).__name__)
            raise
        _heard.reason = _complaint(_heard.service, answer)
        return answer

    return send


def _complaint(service: str, answer: Any) -> str | None:  # noqa: ANN401 - requests.Response
    if not answer.ok or answer.is_redirect:
        return f"HTTP {answer.status_code}"
    if service not in _ANSWERING:
        return None
    try:
        said = orjson.loads(answer.content)
        number = next((said[name] for name in _TRUTHS if said.get(name) is not None), None)
    except (orjson.JSONDecodeError, AttributeError):
        return "answer not understood"
    return None if number in {0, None} else f"code {str(number)[:20]}"


def _spaced(name: str) -> str:
    """`ReadTimeout` as `read timeout`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()


def _need_allowed(host: str | None) -> None:
    """Raises BadAddress for what no receiver lives at. Loopback and the city's own networks are where many live."""
    if not host:
        return
    try:
        found = {info[4][0] for info in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    except OSError:
        return  # the attempt to connect will say so
    for text in found:
        address = ipaddress.ip_address(str(text).partition("%")[0])
        address = getattr(address, "ipv4_mapped", None) or address
        if address.is_link_local or address in _METADATA:
            raise BadAddress("禁止访问此地址。 this address is not allowed")
