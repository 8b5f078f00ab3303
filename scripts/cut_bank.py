"""Cut the composer's instruments out of FluidR3Mono_GM.sf3.

The composer plays 25 presets of the 198 in Debian's package
`fluidr3mono-gm-soundfont` (MIT). This script copies those presets, only the
keys that are played, with every generator and the Vorbis bytes of every sample
as they are, and writes them with the notices and a README. The same input
gives the same bytes.

    python scripts/cut_bank.py /usr/share/sounds/sf3/FluidR3Mono_GM.sf3 \\
        --copyright /usr/share/doc/fluidr3mono-gm-soundfont/copyright
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Collection
from pathlib import Path

from generation.composer.sound.soundfont import (
    RECORDS,
    Generator,
    SoundFont,
    as_range,
    build_soundfont,
    name_of,
    number_of,
    parse_soundfont,
)
from study.errors import AudioError, IsopathError

#: (bank, program) to the keys that are kept.
KEPT: dict[tuple[int, int], Collection[int]] = {
    (0, 0): range(28, 101),  # piano
    (0, 4): range(28, 97),  # electric piano
    (0, 8): range(60, 103),  # celesta
    (0, 10): range(60, 97),  # music box
    (0, 11): range(52, 90),  # vibraphone
    (0, 12): range(48, 97),  # marimba
    (0, 15): range(50, 87),  # dulcimer
    (0, 24): range(40, 85),  # nylon guitar
    (0, 32): range(28, 61),  # acoustic bass
    (0, 40): range(55, 94),  # violin
    (0, 42): range(36, 73),  # cello
    (0, 43): range(28, 59),  # contrabass
    (0, 46): range(31, 97),  # harp
    (0, 48): range(36, 91),  # strings
    (0, 49): range(36, 91),  # slow strings: the same recordings with a slower attack
    (0, 53): range(48, 82),  # oohs
    (0, 60): range(41, 78),  # horn
    (0, 68): range(58, 89),  # oboe
    (0, 71): range(50, 90),  # clarinet
    (0, 73): range(59, 97),  # flute
    (0, 74): range(65, 92),  # recorder
    (0, 89): range(36, 91),  # warm pad
    (0, 108): range(60, 89),  # kalimba
    (0, 110): range(55, 85),  # fiddle
    # Brush kit: kick, two brushed snares, closed and pedal hat, ride, maracas, triangle.
    (128, 40): (36, 38, 40, 42, 44, 51, 70, 80),
}
NAME = "isopath_bank.sf3"
_SIGNATURE = b":isopath scripts/cut_bank.py"
Records = list[tuple[int | bytes, ...]]


def cut(font: SoundFont) -> SoundFont:
    """The kept presets, instruments and samples, renumbered, in file order.

    Raises:
        AudioError: a preset that should be kept is missing.
    """
    tables: dict[str, Records] = {name: [] for name in RECORDS}
    source = font.tables
    played: dict[int, set[int]] = {}
    presets: list[tuple[tuple[int | bytes, ...], list[int]]] = []
    for index, header in enumerate(source["phdr"][:-1]):
        keys = KEPT.get((number_of(header[2]), number_of(header[1])))
        if keys is None:
            continue
        bags = []
        for bag in range(number_of(header[3]), number_of(source["phdr"][index + 1][3])):
            generators = _generators(font, "p", bag)
            wanted = _keys_in(generators, keys)
            if wanted:
                bags.append(bag)
            if Generator.INSTRUMENT in generators:
                played.setdefault(generators[Generator.INSTRUMENT], set()).update(wanted)
        presets.append((header, bags))
    if len(presets) != len(KEPT):
        raise AudioError("the SoundFont", f"{len(presets)} of {len(KEPT)} presets found", "give FluidR3Mono")

    instruments = sorted(number for number, keys in played.items() if keys)
    new_instrument = {old: new for new, old in enumerate(instruments)}
    kept_zones = {
        old: [
            bag
            for bag in range(number_of(source["inst"][old][1]), number_of(source["inst"][old + 1][1]))
            if _keys_in(_generators(font, "i", bag), played[old])
        ]
        for old in instruments
    }
    used_samples = sorted(
        {
            _generators(font, "i", bag)[Generator.SAMPLE]
            for bags in kept_zones.values()
            for bag in bags
            if Generator.SAMPLE in _generators(font, "i", bag)
        }
    )
    new_sample = {old: new for new, old in enumerate(used_samples)}

    for header, bags in presets:
        tables["phdr"].append((*header[:3], len(tables["pbag"]), *header[4:]))
        for bag in bags:
            _copy_zone(font, tables, "p", bag, Generator.INSTRUMENT, new_instrument)
    for old in instruments:
        tables["inst"].append((source["inst"][old][0], len(tables["ibag"])))
        for bag in kept_zones[old]:
            _copy_zone(font, tables, "i", bag, Generator.SAMPLE, new_sample)
    samples = bytearray()
    for old in used_samples:
        header = source["shdr"][old]
        stream = font.sample_data[number_of(header[1]) : number_of(header[2])]
        start = len(samples)
        samples += stream
        # A mono sample links to nothing; the number it had belongs to the uncut file.
        tables["shdr"].append((header[0], start, start + len(stream), *header[3:8], 0, header[9]))
    samples += b"\0" * (len(samples) % 2)

    tables["phdr"].append((b"EOP", 0, 0, len(tables["pbag"]), 0, 0, 0))
    tables["inst"].append((b"EOI", len(tables["ibag"])))
    for level in "pi":
        tables[f"{level}bag"].append((len(tables[f"{level}gen"]), len(tables[f"{level}mod"])))
        tables[f"{level}gen"].append((0, 0))
        tables[f"{level}mod"].append((0, 0, 0, 0, 0))
    tables["shdr"].append((b"EOS", 0, 0, 0, 0, 0, 0, 0, 0, 0))
    info = dict(font.info)
    info["INAM"] = b"isopath composer bank\0"
    software = info["ISFT"].rstrip(b"\0")
    info["ISFT"] = (software if software.endswith(_SIGNATURE) else software + _SIGNATURE) + b"\0"
    return SoundFont(info, bytes(samples), tables)


def _copy_zone(
    font: SoundFont,
    tables: dict[str, Records],
    level: str,
    bag: int,
    reference: Generator,
    renumbered: dict[int, int],
) -> None:
    bags = font.tables[f"{level}bag"]
    tables[f"{level}bag"].append((len(tables[f"{level}gen"]), len(tables[f"{level}mod"])))
    tables[f"{level}mod"] += font.tables[f"{level}mod"][number_of(bags[bag][1]) : number_of(bags[bag + 1][1])]
    for generator, amount in font.tables[f"{level}gen"][
        number_of(bags[bag][0]) : number_of(bags[bag + 1][0])
    ]:
        target = renumbered[number_of(amount)] if generator == reference else amount
        tables[f"{level}gen"].append((generator, target))


def _generators(font: SoundFont, level: str, bag: int) -> dict[int, int]:
    bags = font.tables[f"{level}bag"]
    records = font.tables[f"{level}gen"][number_of(bags[bag][0]) : number_of(bags[bag + 1][0])]
    return {number_of(generator): number_of(amount) for generator, amount in records}


def _keys_in(generators: dict[int, int], keys: Collection[int]) -> set[int]:
    low, high = as_range(generators.get(Generator.KEY_RANGE, 127 << 8))
    return {key for key in keys if low <= key <= high}


README = """# The composer's instruments

`{name}` ({size:,} bytes, SHA-256 `{sha256}`) holds {presets} presets and {samples} samples
cut from FluidR3Mono_GM.sf3 as packaged by Debian (`fluidr3mono-gm-soundfont`, 2.315;
SHA-256 of the uncut file `{source_sha256}`). Licence: MIT; the notices are in
`LICENSE-FluidR3Mono.txt` and in the file's own comment chunk.

Cut by `scripts/cut_bank.py`: presets, instruments, generators, modulators and the Vorbis bytes
of every sample are copied as they are; keys that the composer never plays are left out.
The same input gives the same bytes.

`recordings.json` is what `scripts/measure_bank.py` measured of them: how far each lies out of
tune, and where the tone of each begins. Both are put right when a key is played.

| bank | program | preset |
| --- | --- | --- |
{table}
"""


def main(arguments: list[str] | None = None) -> int:
    """Cut the bank; 0, or 2 with one message."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("soundfont", type=Path, help="FluidR3Mono_GM.sf3")
    parser.add_argument("--copyright", type=Path, help="Debian's copyright file of the package")
    parser.add_argument(
        "--out", type=Path, default=Path("generation/composer/sound/bank"), help="folder to write to"
    )
    given = parser.parse_args(arguments)
    try:
        data = given.soundfont.read_bytes()
        font = parse_soundfont(data, str(given.soundfont))
        small = cut(font)
    except (IsopathError, OSError) as problem:
        sys.stderr.write(f"{problem}\n")
        return 2
    content = build_soundfont(small)
    notices = (
        given.copyright.read_text(encoding="utf-8")
        if given.copyright
        else font.info["ICMT"].rstrip(b"\0").decode("utf-8") + "\n"
    )
    table = "\n".join(
        f"| {number_of(header[2])} | {number_of(header[1])} | {name_of(header[0])} |"
        for header in small.tables["phdr"][:-1]
    )
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / NAME).write_bytes(content)
    (given.out / "LICENSE-FluidR3Mono.txt").write_text(notices, encoding="utf-8")
    (given.out / "README.md").write_text(
        README.format(
            name=NAME,
            size=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            source_sha256=hashlib.sha256(data).hexdigest(),
            presets=len(small.tables["phdr"]) - 1,
            samples=len(small.tables["shdr"]) - 1,
            table=table,
        ),
        encoding="utf-8",
    )
    print(f"{given.out / NAME}: {len(content):,} bytes")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
