"""What every refusal of the API must look like."""

import re
from typing import Any

import httpx

_CHINESE = re.compile(r"[\u4e00-\u9fff]")


def refused(answer: httpx.Response, status: int, code: str, *, lang: str = "zh") -> dict[str, Any]:
    """The problem document of an answer that is just this refusal, in this language."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["content-language"] == lang
    problem: dict[str, Any] = answer.json()
    assert problem["code"] == code, answer.text
    assert problem["status"] == status
    assert problem["type"] == f"urn:rectify:problem:{code}"
    for sentence in (problem["title"], problem["detail"]):
        assert sentence
        assert bool(_CHINESE.search(sentence)) == (lang == "zh"), sentence
    assert not re.search(r"[\[\]{}]", problem["detail"].replace("[]", "")), problem["detail"]
    assert ("retry-after" in answer.headers) == (status in {429, 503})
    assert ("www-authenticate" in answer.headers) == (status == 401)
    return problem
