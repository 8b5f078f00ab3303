"""Who comes to which arm: the methods, what they draw from, and the next place.

Nothing here reads the record: what was given before is an argument, so that a list can be drawn,
checked and simulated alike.
"""

from study.allocation.draws import AllocationSource, DrawnNow, Seeded
from study.allocation.example import ExamplePlace, example_list
from study.allocation.next_place import chances, next_place, of_list, place_again
from study.allocation.permuted_blocks import place_at
from study.allocation.place import Place, Taken
from study.allocation.stratum import check_site, check_stratum, list_of

__all__ = [
    "AllocationSource",
    "DrawnNow",
    "ExamplePlace",
    "Place",
    "Seeded",
    "Taken",
    "chances",
    "check_site",
    "check_stratum",
    "example_list",
    "list_of",
    "next_place",
    "of_list",
    "place_again",
    "place_at",
]
