from __future__ import annotations

from benchmarks.figures import Figures
from benchmarks.report import text


def figures(**values: list[float]) -> Figures:
    made = Figures({"cores": "2"})
    for name, rounds in values.items():
        for value in rounds:
            made.add("resnet50", {name.replace("_", " ").replace("  ", "_"): value})
    return made


def line_of(report: str, beginning: str) -> str:
    (line,) = (line for line in report.splitlines() if line.startswith(beginning))
    return line


def test_a_ratio_is_taken_within_a_round_and_judged():
    # In the second round the machine was half as fast for both.
    report = text(figures(float32_bytes=[9.0, 4.6, 9.2], float32_limit=[10.0, 5.0, 10.0]))
    assert line_of(report, "warm float32 / limit").split()[-5:] == ["0.92", "at", "least", "0.93:", "NO"]
    assert line_of(text(figures(float32_bytes=[9.4], float32_limit=[10.0])), "warm float32 / limit").endswith("yes")


def test_int8_is_judged_where_the_processor_has_instructions_for_it():
    made = figures(int8_bytes=[20.0], float32_bytes=[10.0])
    assert line_of(text(made), "warm int8 / warm float32").endswith("2.00")
    made.machine["processor"] = "Some avx2 avx512_vnni"
    assert line_of(text(made), "warm int8 / warm float32").endswith("at least 2.60: NO")


def test_ratios_without_figures_are_left_out():
    assert "ratios" not in text(figures(float32_bytes=[9.0]))


def test_medians_come_with_their_spread():
    assert line_of(text(figures(cold=[3.0, 1.0, 2.0])), "cold").split() == [
        "cold",
        "2.00",
        "1.00",
        "to",
        "3.00,",
        "3",
        "rounds",
    ]


def test_the_gap_adds_up_to_the_whole():
    report = text(
        figures(
            float32_inference=[100.0],
            float32_limit=[80.0],
            float32_worker__loops=[70.0],
        )
    )
    assert line_of(report, "the model").split()[-3:] == ["10.00", "ms", "+10.00"]
    assert line_of(report, "+ decoding").split()[-3:] == ["12.50", "ms", "+2.50"]


def test_memory_is_compared_with_the_first_set():
    made = figures()
    for name, peak in (("few", 1000.0), ("many", 1100.0), ("large", 1200.0)):
        made.add(f"memory: {name}", {"peak memory, MB": peak})
    report = text(made).partition("against the first set")[2]
    assert line_of(report, "memory: many").split()[-5:] == ["1.10", "at", "most", "1.15:", "yes"]
    assert line_of(report, "memory: large").endswith("NO")
