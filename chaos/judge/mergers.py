"""Two cases made one: the one that goes ends and names the other, whose reporters then include who opened it."""

from collections.abc import Iterator, Mapping, Sequence

from chaos.judge.evidence import Evidence, Finding, Json, Told, Truth
from chaos.judge.words import EFFECTS, MERGE, author

Effects = Mapping[str, Sequence[tuple[str, Json]]]


def judge(evidence: Evidence) -> Iterator[Finding]:
    mergers = [told for told in evidence.told if told.command == MERGE]
    granted = {_asked(told) for told in mergers if told.acknowledged}
    for told in mergers:
        if told.acknowledged or _asked(told) not in granted:
            yield from _merged(told, evidence.truths)


def _asked(told: Told) -> tuple[str, str | None, str | None]:
    """Two hands of one user may ask for the same, and cannot be told apart by what happens."""
    return told.user, told.case, told.into


def _merged(told: Told, truths: Mapping[str, Truth]) -> Iterator[Finding]:
    what = f"merge {told.key} of {told.user} into {told.into}, answered {told.status}"
    goes, stays = truths.get(told.case or ""), truths.get(told.into or "")
    if told.status is None:
        yield Finding("unanswered", told.case, what)
    elif not told.acknowledged:
        if goes is not None and _ended_by(told, goes):
            yield Finding("ghosts", told.case, f"{what}, and yet it happened")
    elif goes is None or stays is None or not _ended_by(told, goes) or not _opener(goes) <= _reporters(stays):
        yield Finding("lost", told.case, what)


def _ended_by(told: Told, goes: Truth) -> bool:
    ends = (event for event in goes.log if event["fact"]["type"] in EFFECTS[MERGE])
    return any(author(event) == told.user and str(told.into) in event["fact"]["reason"] for event in ends)


def _opener(case: Truth) -> set[str]:
    return {event["by"]["user"] for event in case.log if event["fact"]["type"] == "CaseOpened"}


def _reporters(case: Truth) -> set[str]:
    joined = (event["fact"]["reporters"] for event in case.log if event["fact"]["type"] == "ReportJoined")
    return _opener(case).union(*joined)


def without_copies(told: Sequence[Told], effects: Effects) -> Effects:
    """What a merger copied of an opening's text is not the opening happening again."""
    mergers = {_asked(each) for each in told if each.command == MERGE}
    openings = (each for each in told if each.command == "open")
    own = {
        opened.key: [(c, e) for c, e in effects.get(opened.key, ()) if not _copied(e, opened.case, c, mergers)]
        for opened in openings
    }
    return {**effects, **own}


def _copied(event: Json, opened: str | None, case: str, mergers: set[tuple[str, str | None, str | None]]) -> bool:
    """`opened` is unknown where the opening was never answered: then any merger into the case may have been it."""
    by_hand = {goes for user, goes, stays in mergers if user == author(event) and stays == case}
    return event["fact"]["type"] == "ReportJoined" and bool(by_hand if opened is None else opened in by_hand)
