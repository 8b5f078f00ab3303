"""The path of `isopath compose`: from points or from a file, or one clear refusal."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboards.cli.compose_path import PathRequest
from dashboards.cli.compose_table import MOST_WAYPOINTS, read_waypoints
from generation.composer.engine import ComposerEngine
from study.affect import Affect
from study.errors import IsopathError, OutOfRange, Refusals, StorageError
from study.path import AffectPath
from tests.dashboards.command_line import isopath
from tests.generation.composer.plans import make_plan

HEADER = "onset_s,valence,arousal\n"


def written(tmp_path: Path, text: str | bytes) -> Path:
    file = tmp_path / "path.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def points_of(path: AffectPath) -> list[Affect]:
    return [waypoint.affect for waypoint in path.waypoints if waypoint.affect is not None]


def test_points_on_the_way_are_met_by_equal_moves() -> None:
    path = PathRequest("-1,0", "0.5,0", ("0,0",), steps=7, minutes=7.0).path()

    assert [point.valence for point in points_of(path)] == pytest.approx(
        [-1, -0.75, -0.5, -0.25, 0, 0.25, 0.5]
    )
    assert path.duration_s == 420.0


@given(
    st.lists(st.tuples(*2 * [st.floats(-1, 1).map(lambda value: round(value, 2))]), min_size=3, max_size=8),
    st.integers(8, 60),
)
@settings(max_examples=60, deadline=None)
def test_every_point_on_the_way_is_a_waypoint(places: list[tuple[float, float]], steps: int) -> None:
    texts = [f"{valence},{arousal}" for valence, arousal in places]

    path = PathRequest(texts[0], texts[-1], texts[1:-1], steps=steps).path()

    found = points_of(path)
    assert len(found) == steps
    assert (found[0], found[-1]) == (Affect(*places[0]), Affect(*places[-1]))
    place = 0
    for point in found:
        if place < len(places) and point.distance_to(Affect(*places[place])) < 1e-9:
            place += 1
    # Two neighbours that are the same point may be met by one and the same waypoint's neighbour.
    assert place == len(places)


def test_a_way_that_stands_still_is_shared_evenly() -> None:
    path = PathRequest("calm", "calm", ("calm",), steps=5).path()

    assert set(points_of(path)) == {Affect(0.6, -0.6)}


def test_a_drawn_path_holds_each_row_until_the_next(tmp_path: Path) -> None:
    path = read_waypoints(written(tmp_path, HEADER + "0,-0.6,0.5\n10,0,0\n40,0.6,-0.4\n"))

    assert [(w.onset_s, w.duration_s) for w in path.waypoints] == [(0, 10), (10, 30), (40, 30)]
    assert points_of(path) == [Affect(-0.6, 0.5), Affect(0, 0), Affect(0.6, -0.4)]


def test_the_length_of_a_drawn_path_may_be_given(tmp_path: Path) -> None:
    file = written(tmp_path, HEADER + "0,-0.6,0.5\n10,0,0\n")

    assert PathRequest(file=file, minutes=1.0).path().duration_s == 60.0
    assert PathRequest(file=written(tmp_path, HEADER + "0,0,0\n"), minutes=0.5).path().duration_s == 30.0


@pytest.mark.parametrize(
    "text",
    [
        b"\xef\xbb\xbf" + HEADER.encode() + b"0,0,0\n2,0.1,0\n",
        HEADER.replace("\n", "\r\n") + "0,0,0\r\n2,0.1,0\r\n",
        HEADER + "\n0, 0, 0\n\n2, 0.1, 0\n\n",
        'onset_s,valence,arousal\n"0","0","0"\n"2","0.1","0"\n',
    ],
)
def test_byte_order_marks_line_ends_blanks_and_quotation_marks_change_nothing(
    tmp_path: Path, text: str | bytes
) -> None:
    path = read_waypoints(written(tmp_path, text))

    assert points_of(path) == [Affect(0, 0), Affect(0.1, 0)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        (HEADER, "holds no waypoint"),
        (HEADER + "0,0,0\n", "one waypoint, and nothing says how long"),
        ("onset_s;valence;arousal\n0;0,5;0\n", "separated by semicolons"),
        ("onset_s\tvalence\tarousal\n0\t0\t0\n", "separated by tabs"),
        ("valence,arousal\n0,0\n", "its first line is not onset_s,valence,arousal"),
        ("onset_s,arousal,valence\n0,0,0\n", "its first line is not onset_s,valence,arousal"),
        ("onset_s,valence,arousal,note\n0,0,0,x\n", "its first line is not onset_s,valence,arousal"),
        ("0,0,0\n10,0.1,0\n", "its first line is not onset_s,valence,arousal"),
        (HEADER + "0,0,0\n5,0,0\n3,0,0\n", "line 4: onset_s 3 comes after 5"),
        (HEADER + "0,0,0\n5,0,0\n5,0,0\n", "line 4: onset_s 5 stands there twice"),
        (HEADER + "1,0,0\n5,0,0\n", "line 2: the first waypoint begins at 1 s"),
        (HEADER + "-1,0,0\n5,0,0\n", "line 2: onset_s -1 is no moment"),
        (HEADER + "0,0,0\nnan,0,0\n", "line 3: onset_s nan is no moment"),
        (HEADER + "0,0,0\ninf,0,0\n", "line 3: onset_s inf is no moment"),
        (HEADER + "0,happy,0\n5,0,0\n", "line 2: valence 'happy' is not a number"),
        (HEADER + "0,0,\n5,0,0\n", "line 2: arousal '' is not a number"),
        (HEADER + "0,0,nan\n5,0,0\n", "line 2: arousal nan is outside [-1, 1]"),
        (HEADER + "0,1.2,0\n5,0,0\n", "line 2: valence 1.2 is outside [-1, 1]"),
        (HEADER + "0,0\n5,0,0\n", "line 2: 2 cells"),
        (HEADER + '0,"0,0\n5,0,0\n', "is no row of a table"),
        (HEADER + "0,0,0\n0.2,0,0\n", "a session of 0.4 s is not between 1 second and 180 minutes"),
        (HEADER + "0,0,0\n9000,0,0\n", "a session of 18000 s is not between 1 second and 180 minutes"),
    ],
)
def test_a_table_that_is_no_path_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(OutOfRange) as refusal:
        read_waypoints(written(tmp_path, text))

    assert message in str(refusal.value)
    assert refusal.value.remedy


def test_every_row_that_is_wrong_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(Refusals) as refusal:
        read_waypoints(written(tmp_path, HEADER + "0,0,0\n4,2,0\n8,x,0\n6,0,0\n6,0,0\n"))

    lines = str(refusal.value).splitlines()
    assert [line.split(": ")[0].rsplit(" ", 1)[1] for line in lines] == ["3", "4", "5", "6"]


@pytest.mark.parametrize(
    ("content", "message"),
    [(HEADER.encode("utf-16"), "is not UTF-8 text"), (None, "cannot be read (is a directory)")],
)
def test_what_is_no_text_file_is_refused(tmp_path: Path, content: bytes | None, message: str) -> None:
    file = tmp_path if content is None else written(tmp_path, content)

    with pytest.raises(StorageError) as refusal:
        read_waypoints(file)

    assert message in str(refusal.value)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="no such file"):
        read_waypoints(tmp_path / "gone.csv")


def test_a_file_and_points_contradict_each_other(tmp_path: Path) -> None:
    file = written(tmp_path, HEADER + "0,0,0\n5,0,0\n")

    with pytest.raises(Refusals) as refusal:
        PathRequest("calm", "sad", ("0,0",), file=file, steps=4).path()

    assert [line.split(":")[0] for line in str(refusal.value).splitlines()] == [
        "--from",
        "--to",
        "--via",
        "--steps",
    ]


def test_every_wrong_option_is_named_at_once() -> None:
    with pytest.raises(Refusals) as refusal:
        PathRequest("2,0", "blissful", ("0;0",), minutes=0.0, steps=1).path()

    assert [one.where for one in refusal.value.refusals] == [
        "--from valence",
        "--via",
        "--to",
        "--minutes",
        "--steps",
    ]


def test_ten_thousand_waypoints_are_a_session_and_one_more_is_refused(tmp_path: Path) -> None:
    def rows(count: int) -> str:
        return HEADER + "".join(
            f"{0.006 * k:.3f},{(k % 3 - 1) * 0.9},{(k % 2) * 0.9}\n" for k in range(count)
        )

    path = read_waypoints(written(tmp_path, rows(MOST_WAYPOINTS)))
    plan = make_plan([(0.0, 0.0)], 60.0)
    score = ComposerEngine().compose(type(plan)(**{**vars(plan), "path": path}))

    assert len(path.waypoints) == MOST_WAYPOINTS
    assert path.duration_s == pytest.approx(60.0)
    assert score.duration_s == path.duration_s
    assert len(score.notes) > 50
    with pytest.raises(OutOfRange, match="10,001 waypoints"):
        read_waypoints(written(tmp_path, rows(MOST_WAYPOINTS + 1)))


def test_three_hours_are_a_path_without_gaps() -> None:
    path = PathRequest(minutes=180.0, steps=MOST_WAYPOINTS).path()

    assert path.duration_s == pytest.approx(10_800.0)
    assert all(
        b.onset_s == pytest.approx(a.onset_s + a.duration_s) for a, b in itertools.pairwise(path.waypoints)
    )


def test_a_refusal_is_one_message_exit_code_2_and_no_file(tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text(HEADER + "0,0,0\n4,2,0\n")

    done = isopath("compose", "--path", "bad.csv", "-o", "out.flac", cwd=tmp_path)

    assert done.code == 2
    assert len(done.err.splitlines()) == 1
    assert "Traceback" not in done.err
    assert [file.name for file in tmp_path.iterdir()] == ["bad.csv"]


def test_refusals_are_of_one_kind() -> None:
    for arguments in (PathRequest("2,0"), PathRequest(via=("",)), PathRequest(minutes=float("nan"))):
        with pytest.raises(IsopathError):
            arguments.path()
