"""Tasks with a known answer in words; the table of the page is the one that the command prints."""

from __future__ import annotations

from pathlib import Path

import pytest

from leadline.data.datasets.synthetic.catalogue import TASKS, task
from leadline.data.datasets.synthetic.known import ALL_AHEAD, ANYTHING, GATED, SMALL, YES, ZERO, Networks
from leadline.report import task_words

PAGE = Path(__file__).resolve().parents[2] / "docs" / "known-answers.md"


def test_the_list_has_every_task_with_its_line_and_what_to_use():
    said = task_words.listing()
    for known in TASKS:
        assert f"{known.name}: {known.title}\n" in said
    assert said.count("\n    use ") == len(TASKS)
    assert max(map(len, said.splitlines())) < 300


def test_one_task_is_told_with_its_proof_and_every_right_word():
    said = task_words.details(task("parity"))
    assert "Proof: y_t = (y_{t-1} + x_t) mod m" in said
    assert "Args:" not in said
    assert "  yes or at least a little: recurrence\n" in said
    assert "depth, depth at equal size" in said
    assert "from any GRU or LSTM network of 16 or more units" in said
    assert "Use one layer." in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (YES, "yes or at least a little"),
        (SMALL, "a little, at least a little, no or worse"),
        (ZERO, "no"),
        (ANYTHING, "yes, a little, at least a little, no or worse"),
    ],
)
def test_right_words_are_spoken_in_the_order_of_the_sheet(words, said):
    assert task_words.words(words) == said


@pytest.mark.parametrize(
    ("networks", "said"),
    [
        (Networks(), "any network"),
        (Networks(layers=(1, 1), cells=GATED), "one GRU or LSTM layer"),
        (Networks(layers=(2, ALL_AHEAD)), "2 or more layers"),
        (Networks(layers=(2, 3), units=(16, ALL_AHEAD)), "2 to 3 layers of 16 or more units"),
        (Networks(ahead=(0, 0)), "any network seeing no step ahead"),
        (Networks(ahead=(0, 3)), "any network seeing 0 to 3 steps ahead"),
        (Networks(ahead=(2, ALL_AHEAD - 1)), "any network seeing 2 or more steps ahead"),
        (Networks(ahead=(2, ALL_AHEAD)), "any network seeing 2 or more steps ahead or reading both ways"),
        (
            Networks(ahead=(ALL_AHEAD, ALL_AHEAD), readouts=frozenset({"mlp"})),
            "any network reading both ways with MLP readout",
        ),
    ],
)
def test_networks_in_words(networks, said):
    assert task_words.networks(networks) == said


def test_a_star_marks_what_depends_on_the_start():
    rows = {line.split(" | ")[0]: line for line in task_words.markdown().splitlines()}
    depth = task_words.COLUMNS.index("depth") + 1
    assert rows["| `match`"].split(" | ")[depth] == "yes/no*"
    assert rows["| `parity`"].split(" | ")[depth] == "no"
    assert rows["| `hierarchy`"].split(" | ")[depth] == "yes*"


def test_the_page_has_the_table_of_the_command():
    assert task_words.markdown() in PAGE.read_text(encoding="utf-8")
