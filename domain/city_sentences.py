"""What may be wrong with a change to the city: directory, catalogue, routing, rules. See `domain/sentences.py`."""

from domain.words import Words

CITY: dict[str, Words] = {}
