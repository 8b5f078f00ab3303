"""A table beside sound files: every row is a track or a fault that names its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from generation.training.corpora.read import read_corpus
from generation.training.corpora.table import COLUMNS, in_validation
from generation.training.recipe import DataRecipe
from generation.training.tracks import Corpus, FaultKind, Split
from study.affect import Affect
from study.errors import IsopathError
from tests.generation.training.corpora.sounds import write_table

PAGE = Path(__file__).parents[4] / "docs" / "training-data.md"


def read(table: Path, seed: int = 0, share: float = 0.1, audio: Path | None = None) -> Corpus:
    sound = None if audio is None else str(audio)
    return read_corpus(DataRecipe("table", str(table), sound, validation_share=share), seed)


def problems(corpus: Corpus) -> list[str]:
    return [fault.problem for fault in corpus.faults]


def test_every_column_reaches_its_track(tmp_path: Path) -> None:
    table = write_table(
        tmp_path / "music.csv",
        "path,valence,arousal,prompt,split,tags,licence",
        'a/one.flac,-0.5,0.25,"slow, soft piano",validation,"calm; piano,calm",CC BY 4.0',
    )

    (track,) = read(table).tracks

    assert track.track_id == "a/one.flac"
    assert track.path == tmp_path / "a" / "one.flac"
    assert track.affect == Affect(-0.5, 0.25)
    assert track.prompt == "slow, soft piano"
    assert track.split == Split.VALIDATION
    assert track.tags == ("calm", "piano")
    assert track.licence == "CC BY 4.0"


def test_the_sound_may_lie_in_a_folder_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "sound").mkdir()
    table = write_table(tmp_path / "music.csv", "path", "a.wav")

    assert read(table, audio=tmp_path / "sound").tracks[0].path == tmp_path / "sound" / "a.wav"


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize(("name", "sign"), [("music.csv", ","), ("music.TSV", "\t")])
def test_a_byte_order_mark_and_tabs_change_nothing(tmp_path: Path, mark: bytes, name: str, sign: str) -> None:
    text = "path,valence,arousal\r\nblåbär.wav,1,-1\r\n".replace(",", sign)
    (tmp_path / name).write_bytes(mark + text.encode())

    corpus = read(tmp_path / name)

    assert [(track.track_id, track.affect) for track in corpus.tracks] == [("blåbär.wav", Affect(1.0, -1.0))]
    assert corpus.faults == ()


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("a.wav,1.5,0", "valence 1.5 is outside [-1, 1]"),
        ("a.wav,1.0001,0", "valence 1.0001 is outside [-1, 1]"),
        ("a.wav,0,-1.0001", "arousal -1.0001 is outside [-1, 1]"),
        ("a.wav,nan,0", "valence is not a number"),
        ("a.wav,0,inf", "arousal inf is outside [-1, 1]"),
        ("a.wav,high,0", "valence 'high' is no number"),
        ("a.wav,0_1,0", "valence '0_1' is no number"),
        ("a.wav,,0", "valence is missing"),
        ("a.wav,0.5,", "arousal is missing"),
        ("a.wav,2,low", "valence 2 is outside [-1, 1]; arousal 'low' is no number"),
        (",0,0", "no path of a sound file"),
        ("../a.wav,0,0", "the path '../a.wav' leaves the folder of the sound"),
        ("x/../../a.wav,0,0", "the path 'x/../../a.wav' leaves the folder of the sound"),
        (
            "/music/a.wav,0,0",
            "the path '/music/a.wav' is absolute; write it relative to the folder of the sound",
        ),
        ("C:/a.wav,0,0", "the path 'C:/a.wav' is absolute; write it relative to the folder of the sound"),
        ("a.wav,0", "2 cells, and the header has 3"),
        ("a.wav,0,0,calm", "4 cells, and the header has 3"),
    ],
)
def test_a_row_that_cannot_be_used_is_named_by_its_line_and_the_rest_goes_on(
    tmp_path: Path, row: str, told: str
) -> None:
    table = write_table(tmp_path / "music.csv", "path,valence,arousal", "first.wav,0,0", row, "last.wav,0,0")

    corpus = read(table)

    assert [track.track_id for track in corpus.tracks] == ["first.wav", "last.wav"]
    assert problems(corpus) == [f"music.csv:3: {told}"]
    assert [fault.kind for fault in corpus.faults] == [FaultKind.BAD_ROW]
    assert not corpus.faults[0].is_kept


def test_an_unlabelled_track_is_a_track_without_affect(tmp_path: Path) -> None:
    corpus = read(write_table(tmp_path / "music.csv", "path,valence,arousal", "a.wav,,"))

    assert [track.affect for track in corpus.tracks] == [None]


def test_a_path_that_stands_twice_is_taken_as_it_stands_first(tmp_path: Path) -> None:
    lines = ("path,valence,arousal", "a.wav,0.5,0", '"b\n.wav",0,0', "./a.wav,-0.5,0")
    corpus = read(write_table(tmp_path / "music.csv", *lines))

    assert [(track.track_id, track.affect) for track in corpus.tracks] == [("a.wav", Affect(0.5, 0.0))]
    # The cell in quotation marks runs over two lines, so the last row begins on line 5.
    assert problems(corpus) == [
        "music.csv:3: the path 'b\\n.wav' holds a character that cannot be printed",
        "music.csv:5: the path stands on line 2 already",
    ]


def test_a_split_is_written_as_the_three_words_only(tmp_path: Path) -> None:
    corpus = read(write_table(tmp_path / "music.csv", "path,split", "a.wav,train", "b.wav,val", "c.wav,"))

    assert [track.split for track in corpus.tracks] == [Split.TRAIN]
    assert problems(corpus) == [
        "music.csv:3: the split 'val' is not known; write one of train, validation, test",
        "music.csv:4: the split '' is not known; write one of train, validation, test",
    ]


def test_all_that_is_wrong_with_a_header_is_told_at_once(tmp_path: Path) -> None:
    table = write_table(tmp_path / "music.csv", "file,valence,valance,tags,tags", "a.wav,0,0,x,y")

    with pytest.raises(IsopathError) as refusal:
        read(table)

    columns = "delete it; the columns are path, valence, arousal, prompt, split, tags, licence"
    assert str(refusal.value).splitlines() == [
        f"music.csv:1: the column 'file' is not known; {columns}",
        f"music.csv:1: the column 'valance' is not known; did you mean \"valence\"? If not, {columns}",
        "music.csv:1: the column tags stands 2 times; delete all but one",
        "music.csv:1: there is no column path; name the sound file of each row",
        "music.csv:1: there is valence alone; write valence and arousal, or neither",
    ]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is empty"),
        (b"\n , ,\n", "has no header"),
        (b"path\n", "has a header and no row"),
        (b"path\n\xff\xfe.wav\n", "is not UTF-8 (byte 5)"),
        (b"path\na\0.wav\n", "holds a NUL character"),
        (b'path\n"a.wav\n', "is not a row of a table (unexpected end of data)"),
    ],
)
def test_a_file_that_is_no_table_is_refused(tmp_path: Path, content: bytes, told: str) -> None:
    (tmp_path / "music.csv").write_bytes(content)

    with pytest.raises(IsopathError, match=r"music\.csv") as refusal:
        read(tmp_path / "music.csv")

    assert told in str(refusal.value)


def test_what_is_not_there_and_what_is_for_another_kind_is_refused(tmp_path: Path) -> None:
    table = write_table(tmp_path / "music.csv", "path", "a.wav")

    with pytest.raises(IsopathError, match=r"none\.csv: cannot be read \(no such file or directory\)"):
        read(tmp_path / "none.csv")
    with pytest.raises(IsopathError, match="sound: there is no such folder"):
        read(table, audio=tmp_path / "sound")
    with pytest.raises(IsopathError, match=r"data\.splits: is for MTG-Jamendo's split files"):
        read_corpus(DataRecipe("table", str(table), splits=str(tmp_path)), 0)
    with pytest.raises(IsopathError, match=r"data\.kind: 'tabel' is not known; write one of jamendo, table"):
        read_corpus(DataRecipe("tabel", str(table)), 0)


def test_the_split_by_hash_knows_no_order_and_meets_its_share(tmp_path: Path) -> None:
    names = [f"{number}.wav" for number in range(40)]
    forward = read(write_table(tmp_path / "a.csv", "path", *names), seed=3, share=0.25)
    backward = read(write_table(tmp_path / "b.csv", "path", *reversed(names)), seed=3, share=0.25)

    def validation(corpus: Corpus) -> set[str]:
        return {track.track_id for track in corpus.of(Split.VALIDATION)}

    assert validation(forward) == validation(backward)
    assert len(validation(forward)) == 10
    assert len(forward.of(Split.TRAIN)) == 30
    assert validation(read(tmp_path / "a.csv", seed=4, share=0.25)) != validation(forward)


def test_the_hash_of_the_split_is_sha_256_of_seed_and_path() -> None:
    # printf 0/c | sha256sum, coreutils: 0/c begins 288182d7, 0/b 7d9abe6c, 0/a d3216b8d.
    assert in_validation(["a", "b", "c"], 1 / 3, seed=0) == {"c"}
    assert in_validation(["c", "a", "b"], 2 / 3, seed=0) == {"b", "c"}


def test_a_small_share_of_few_tracks_is_one_track_and_never_all() -> None:
    assert len(in_validation(["a", "b", "c"], 0.1, seed=0)) == 1
    assert len(in_validation(["a", "b"], 0.9, seed=0)) == 1
    assert in_validation(["a", "b"], 0.0, seed=0) == frozenset()
    assert in_validation(["a"], 0.1, seed=0) == frozenset()


def test_the_pages_example_is_a_table(tmp_path: Path) -> None:
    example = PAGE.read_text(encoding="utf-8").split("```csv\n")[1].split("```")[0]
    (tmp_path / "music.csv").write_text(example, encoding="utf-8")

    corpus = read(tmp_path / "music.csv")

    assert corpus.faults == ()
    assert [(track.split, track.tags) for track in corpus.tracks] == [
        (Split.TRAIN, ("sad", "piano")),
        (Split.TRAIN, ("happy", "folk")),
        (Split.VALIDATION, ("happy",)),
    ]
    assert corpus.tracks[0].affect == Affect(-0.4, -0.6)


def test_the_page_says_what_each_column_holds_and_each_fault_means() -> None:
    page = PAGE.read_text(encoding="utf-8")

    assert [name for name in COLUMNS if f"`{name}`" not in page] == []
    assert [kind for kind in FaultKind if kind not in page] == []
