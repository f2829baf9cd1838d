"""benchmarks/vs_xlm: what needs neither the peer nor a clock."""

import pytest
import torch

from benchmarks.vs_xlm import logs, peer
from benchmarks.vs_xlm.row import Row
from xlm_spec.runtime.data.rows import Rows
from xlm_spec.workbench.figures import markdown


def test_a_step_is_the_median_of_windows_behind_the_warm_up():
    ends = dict.fromkeys(range(1, 20), 9.0) | {20: 10.0, 25: 0.0, 30: 12.0, 40: 13.0, 50: 15.0}
    assert logs.a_step(ends, warm=20, every=10) == pytest.approx(0.2)


def test_a_line_that_is_still_being_written_is_left_out():
    lines = '{"step": 10, "split": "train", "seconds": 1.5}\n{"step": 10, "split": "val", "sec'
    assert logs.steps_done(lines) == {10: 1.5}
    assert logs.clocked("7.0\n7.5\n8.") == {1: 7.0, 2: 7.5}


def test_the_peer_reads_the_graphs_that_we_draw():
    rows = Rows(
        prompt=torch.tensor([[3, 1, 1, 4, 3, 4, 0]]),
        prompt_length=torch.tensor([6]),
        answer=torch.tensor([[3, 1, 4, 0]]),
        answer_length=torch.tensor([3]),
    )
    expected = {"edge_list": [[3, 1], [1, 4]], "source": 3, "goal": 4, "path": [3, 1, 4]}
    assert peer.graphs(rows) == [expected]


def test_a_ratio_is_above_one_where_ours_is_better():
    faster = Row("training", "sequences/s", ours=[4.0, 6.0], peer=[2.0, 2.0], more_is_better=True)
    sooner = Row("start", "s", ours=[1.0], peer=[3.0], goal=4.0)
    assert faster.ratios == [2.0, 3.0]
    assert sooner.ratios == [3.0]
    assert sooner.cells["met"] == "no"
    assert "| training | sequences/s | 5 (4 to 6) |" in markdown([faster.cells])
