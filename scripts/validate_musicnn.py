"""How well musicnn's predictions order game music by its names and cue types.

    python scripts/validate_musicnn.py 0AD_MUSIC WESNOTH_MUSIC SUPERTUX_MUSIC

The folders hold the music of Debian's 0ad-data 0.0.26-1 (audio/music of its
public.zip), wesnoth-1.16-music 1:1.16.9-1 and supertux-data 0.6.3-2. Labels
were written down from file names and the games' own cue types (0 A.D.: battle,
victory, defeat) before any prediction was looked at; none of the three
games is among the music that set the map's scale. Printed: areas under the ROC
curve, high against low arousal and positive against negative valence.
"""

from __future__ import annotations

import sys
from pathlib import Path

from calibrate_tag_affect import pieces

from analysis.mer.musicnn.predictor import MusicnnPredictor

HIGH_AROUSAL = """
Taiko_1 Taiko_2 You_are_Victorious! battle-epic battle frantic frantic-old vengeful
siege_of_laurelmor the_dangerous_symphony battle_theme bossattack treeboss greatgigantic
forest-sprint fortress airship_2
"""
LOW_AROUSAL = """
Dried_Tears Highland_Mist Harvest_Moon Albian_Nocturne Midwinter Mountain_Idyll Elysian_Fields
Epitaph Hill_of_Sorrows Mirage Water's_Edge Calm_Before_the_Storm love_theme sad transience
silvan_sanctuary nunc_dimittis journeys_end elf-land the_deep_path voc-night arctic_breeze
ghostforest
"""
POSITIVE = """
You_are_Victorious! Harvest_Festival Solstice_Festival Celtic_Pride Mountain_Idyll Elysian_Fields
Sunrise Tavern_in_the_Mist love_theme victory2 traveling_minstrels journeys_end return_to_wesnoth
silvan_sanctuary elf-land loyalists theme tropicalbreeze christmas_theme credits intro forest_theme
voc-daytime
"""
NEGATIVE = """
Dried_Tears Hill_of_Sorrows Epitaph Alba_Longa_Burns Harsh_Lands_Rugged_People sad the_city_falls
the_king_is_dead casualties_of_war vengeful weight_of_revenge into_the_shadows the_deep_path
underground suspense frantic ghostforest ghostforest2 halloween_1 voc-dark darkforestkeep cave
fortress
"""


def area(predicted: dict[str, float], high: str, low: str) -> tuple[float, int, int]:
    """Share of pairs in the right order, and how many pieces of each label were there."""
    highs, lows = ([predicted[name] for name in names.split() if name in predicted] for names in (high, low))
    right = sum((a > b) + 0.5 * (a == b) for a in highs for b in lows)
    return right / (len(highs) * len(lows)), len(highs), len(lows)


def main() -> None:
    """Hear the middle 30 s of every piece, print both areas."""
    predictor = MusicnnPredictor()
    heard = {
        path.stem: predictor.judge(samples, rate)
        for folder in sys.argv[1:]
        for path, samples, rate in pieces(Path(folder))
    }
    for axis, (name, high, low) in enumerate(
        [("valence", POSITIVE, NEGATIVE), ("arousal", HIGH_AROUSAL, LOW_AROUSAL)]
    ):
        auc, n_high, n_low = area({stem: affect[axis] for stem, affect in heard.items()}, high, low)
        print(f"{name}: AUC {auc:.2f} ({n_high} high, {n_low} low of {len(heard)} pieces)")


if __name__ == "__main__":
    main()
