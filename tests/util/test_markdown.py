"""Tables as benchmarks print them and ``ablate.py`` writes them."""

from util.markdown import table


def test_a_table_has_numbers_to_the_right_and_leaves_out_what_nobody_knows() -> None:
    text = table(("side", "s", "share"), [["ours", "1.25", "-"], ["official", "10.5", "-"]])
    assert text.splitlines() == [
        "| side     |    s |",
        "| -------- | ---: |",
        "| ours     | 1.25 |",
        "| official | 10.5 |",
    ]
    assert table(("a", "b"), [["", "-"]]).splitlines() == ["| a   |", "| --- |", "|     |"]
