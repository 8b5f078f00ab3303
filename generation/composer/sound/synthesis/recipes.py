"""Every instrument's recipe, by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from generation.composer.sound.synthesis.drums import Kit
from generation.composer.sound.synthesis.ensemble import Ensemble
from generation.composer.sound.synthesis.held_recipes import ENSEMBLES, PLAYERS
from generation.composer.sound.synthesis.kits import KITS
from generation.composer.sound.synthesis.player import Player
from generation.composer.sound.synthesis.struck import Struck
from generation.composer.sound.synthesis.struck_recipes import STRUCK

Recipe = Struck | Ensemble | Player | Kit

RECIPES: Mapping[str, Recipe] = MappingProxyType({**STRUCK, **PLAYERS, **ENSEMBLES, **KITS})
