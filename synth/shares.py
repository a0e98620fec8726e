"""How often what happens in a city: the weights by which synthetic cases are drawn. Only numbers, and where from.

Zhanjiang 湛江 published October 2019 (5,647 cases sent out), Xuchang 许昌 February 2020 (19,903 accepted); what no city
tells is our own guess and says so. A share is per mille of what its comment names.
"""

from domain.policy import Severity, Source

#: Per mille of all cases. Zhanjiang: events 87.5 %, components 12.5 %; within them the kinds that it names.
CATEGORIES: dict[str, float] = {
    "E0135": 0.875 * 271.9,
    "E0110": 0.875 * 244.8,
    "E0112": 0.875 * 128.4,
    "E0111": 0.875 * 122.6,
    "E0113": 0.875 * 53.4,
    "C0104": 0.125 * 319.3,
    "C0402": 0.125 * 123.8,
    "C0404": 0.125 * 68.9,
    "C0217": 0.125 * 59.1,
    "C0137": 0.125 * 53.4,
}
#: What is left of each kind, for all its other categories together, the first of the catalogue the most frequent.
OTHER_EVENTS, OTHER_COMPONENTS = 0.875 * 178.9, 0.125 * 375.5

#: Our guess: half of a city's cases come from its own officers.
SOURCES: dict[Source, float] = {
    Source.OFFICER: 560,
    Source.HOTLINE: 240,
    Source.RESIDENT: 120,
    Source.SUPERVISION: 50,
    Source.SYSTEM: 30,
}
#: Our guess.
SEVERITIES: dict[Severity, float] = {
    Severity.LOW: 90,
    Severity.NORMAL: 790,
    Severity.HIGH: 90,
    Severity.URGENT: 30,
}

#: Of what officers find. Zhanjiang has half of all reports put right on the spot, and counts them apart from those that
#: are sent out; here they are among the cases, so that lists meet them, and fewer, so that cases have a life.
SELF_HANDLED = 90
#: Of what waits for verification. Xuchang: 19,903 accepted, 16,604 sent out.
DISMISSED = 166
#: Of what is sent out. Zhanjiang: 226 late, 52 rework, 12 sent a second time, of 5,647.
LATE, REWORK, RETURNED = 40, 9.2, 2.1
#: Of what is sent out: our guesses.
DEEMED_ACCEPTED, EXTENDED, REFUSED_EXTENSION, SUSPENDED = 120, 30, 6, 4
URGED, SUPERVISED, WITHDRAWN, FORCE_CLOSED, REOPENED, JOINED = 25, 6, 5, 1, 2, 20
#: Of late cases that are closed; of closed cases that a resident reported.
APPEALED, RATED = 60, 300
#: Of what comes where the same had been put right within the month before, in the same grid; the rest is new.
#: Our guess; it makes one case in thirty or forty a recurrent one.
RECURRED = 30
#: Of the cases of the last months: nobody ever put them right. They are the top of the supervisor's board.
STUCK = 3

#: Cases opened on one working day in a city of middle size, at most.
A_DAY = 1_200
#: Arrivals by the hour of the day, and by the day of the week from Monday: our guess, after officers' shifts.
HOURS = (2, 1, 1, 1, 1, 3, 10, 28, 75, 110, 104, 62, 30, 46, 88, 102, 92, 60, 34, 26, 20, 12, 7, 4)
WEEKDAYS = (118, 108, 104, 104, 106, 62, 50)
#: By month, from January: snow and the festival, then rain and heat.
MONTHS = (82, 74, 96, 102, 106, 112, 120, 118, 104, 98, 96, 92)

#: What people write into the file, on average for a case that somebody worked on: it brings a case to some 12 events.
REMARKS = 6.9
#: Of remarks; the others are the officer's.
BY_THE_UNIT = 800
#: Of descriptions and addresses: our guesses, how people write.
FORMAL, WITH_SOMETHING_RARE, WITH_A_REQUEST, WITH_AN_ESTATE = 500, 30, 350, 450
#: Of reports: they name the condition, where others leave it to the first of the category.
WITH_CONDITION = 400
