from dataclasses import dataclass
from typing import Callable


@dataclass
class Row:
    name: str
    title: str
    goal: str
    sides: Callable  # Bench -> [(name, function -> seconds)], 'ferryfs' among them
