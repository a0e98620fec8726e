"""One helpful sentence for every error code, in Chinese and in English: what is wrong, and what to do.

A part in square brackets is left out when one of its `{params}` was not given, so that a sentence never fails
and never shows a hole. Knows nothing of who raises what; `tests/domain/test_sentences.py` compares the two.
"""

import re
from collections.abc import Mapping

from domain.case_sentences import CASE, EVIDENCE
from domain.city_sentences import CITY
from domain.exchange_sentences import EXCHANGE
from domain.report_sentences import REPORT
from domain.request_sentences import REQUEST, SYSTEM
from domain.sign_in_sentences import SIGN_IN
from domain.words import Lang, Words, word

SENTENCES: dict[str, Words] = {**CASE, **EVIDENCE, **REQUEST, **REPORT, **CITY, **EXCHANGE, **SIGN_IN, **SYSTEM}
_UNKNOWN: Words = ("出错了[（{code}）]。请联系管理员。", "Something went wrong[ ({code})]. Tell the administrator.")
_OPTIONAL = re.compile(r"\[([^\]]*)\]")
_PARAM = re.compile(r"\{(\w+)\}")


def sentence(code: str, params: Mapping[str, object], lang: Lang) -> str:
    """The sentence for `code` with its parameters filled in. Never fails."""
    chinese, english = SENTENCES.get(code, _UNKNOWN)
    template = chinese if lang == "zh" else english
    given = {"code": code, **params} if code not in SENTENCES else params
    return _OPTIONAL.sub(lambda part: _filled(part[1], given, lang), template)


def _filled(part: str, given: Mapping[str, object], lang: Lang) -> str:
    if any(given.get(name) is None for name in _PARAM.findall(part)):
        return ""
    return _PARAM.sub(lambda param: _shown(param[1], given[param[1]], lang), part)


def _shown(name: str, value: object, lang: Lang) -> str:
    if isinstance(value, list | tuple | set | frozenset):
        return ("、" if lang == "zh" else ", ").join(_shown(name, item, lang) for item in value)
    return word(name, str(value), lang)
