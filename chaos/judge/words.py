"""Which event a command leaves behind, and where a client's own mark is in it. From docs/states.md and the API."""

import re
from collections.abc import Iterator

from chaos.judge.evidence import Json

#: A client ends the text of each command with this and its key, so that the effect can be known again.
MARK = "#"
_MARKED = re.compile(MARK + r"([a-z0-9-]+)$")

#: The events that a command may become.
EFFECTS: dict[str, tuple[str, ...]] = {
    "open": ("CaseOpened",),
    "verify": ("CaseVerified",),
    "dismiss": ("CaseDismissed",),
    "assign": ("CaseDispatched",),
    "accept": ("CaseAccepted",),
    "return": ("CaseReturned",),
    "submit": ("RectificationSubmitted", "CoUnitSubmitted", "MilestoneReported"),
    "submit-plan": ("PlanSubmitted",),
    "decide-plan": ("PlanApproved", "PlanRefused"),
    "join": ("ReportJoined",),
    "request-extension": ("ExtensionRequested",),
    "decide-extension": ("ExtensionGranted", "ExtensionRefused"),
    "suspend": ("CaseSuspended",),
    "resume": ("SuspensionEnded",),
    "inspect": ("InspectionPassed", "InspectionFailed", "InspectionImpossible"),
    "urge": ("CaseUrged",),
    "supervise": ("CaseSupervised",),
    "withdraw": ("CaseWithdrawn",),
    "force-close": ("CaseForceClosed",),
    "rate": ("CaseRated",),
    "appeal": ("AppealFiled",),
    "decide-appeal": ("AppealSupported", "AppealGranted", "AppealRefused"),
    "reopen": ("CaseReopened",),
    "comment": ("CommentAdded",),
    "merge": ("CaseDismissed", "CaseWithdrawn"),
}
#: Commands whose body has no text: their effects are told apart by who gave them, and counted.
WITHOUT_TEXT = frozenset({"accept", "resume"})
#: Has no text either; its effect names the case that stays. It copies the text of the other's opening.
MERGE = "merge"
#: The field of the body that holds the text.
TEXT: dict[str, str] = {
    "open": "description",
    "submit": "note",
    "inspect": "note",
    "urge": "note",
    "verify": "note",
    "supervise": "requirement",
    "rate": "comment",
    "comment": "text",
    "submit-plan": "text",
    "join": "description",
}
REASON = "reason"


def marked(text: str, key: str) -> str:
    return f"{text} {MARK}{key}"


def marks(event: Json) -> Iterator[str]:
    """The keys that an event's own text carries."""
    for value in event["fact"].values():
        found = _MARKED.search(value) if isinstance(value, str) else None
        if found:
            yield found[1]


def author(event: Json) -> str | None:
    user: str | None = event.get("by", {}).get("user")
    return user
