from __future__ import annotations

from benchmarks.reach.figure import Figure


def test_a_figure_is_judged_by_its_limit():
    speed = Figure("speed", 0.9, "times", "2 rounds", at_least=0.9)
    assert str(speed) == "speed: 0.9 times (at least 0.9: ok); 2 rounds"
    assert "(at least 0.9: MISSED)" in str(Figure("speed", 0.8999, "times", "2 rounds", at_least=0.9))
    assert "(at most 3: ok)" in str(Figure("time", 3.0, "s", "alone", at_most=3))
    assert "(at most 3: MISSED)" in str(Figure("time", 3.01, "s", "alone", at_most=3))
    assert str(Figure("rate", 12345.6, "images/s", "here")) == "rate: 12,346 images/s; here"
