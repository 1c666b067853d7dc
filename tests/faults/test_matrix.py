"""The index of the fault matrix is true: every row of the floor is there, its tests exist, and the page shows what the index says."""

import ast
import tomllib
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "faults.md"
BEGIN, END = "<!-- the matrix: written from tests/faults/matrix.toml -->", "<!-- the end of the matrix -->"
FLOOR = [
    *("A1", "A2", "A4", "A6", "A8", "A13", "A14", "A15", "A16", "B1", "B2", "B3", "B4", "B6"),
    *("C1", "C2", "C4", "C5", "C6", "C9", "C10", "C11", "C12", "D1", "D4", "E1", "E3", "E6", "F1", "F5", "F6", "F7"),
    *("G1", "G2", "G3", "G4", "G6", "G7", "G10", "H1", "H2", "H6", "H7", "H8", "J1", "J5", "K1"),
]
ROWS: list[dict[str, Any]] = tomllib.loads((TESTS / "faults" / "matrix.toml").read_text(encoding="utf-8"))["row"]


def functions(path: Path) -> set[str]:
    """The tests of a file, those of classes by Class::test."""
    found: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.ClassDef):
            found |= {f"{node.name}::{one.name}" for one in node.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)}
    return found


def table() -> str:
    """The matrix as the page has it."""
    lines = ["| row | fault | expected | shown by |", "|---|---|---|---|"]
    for row in ROWS:
        tests = "<br>".join(f"`{test}`" for test in row["tests"])
        lines.append(f"| {row['id']} | {row['fault']} | {row['expected']} | {tests} |")
    return "\n".join(lines)


def test_every_row_is_there_once_and_in_order() -> None:
    assert [row["id"] for row in ROWS] == FLOOR


@pytest.mark.parametrize("row", ROWS, ids=[row["id"] for row in ROWS])
def test_its_tests_exist(row: dict[str, Any]) -> None:
    assert row.keys() == {"id", "fault", "expected", "tests"}
    assert row["tests"]
    for test in row["tests"]:
        file, _, name = test.partition("::")
        assert name in functions(TESTS / file), f"there is no test {test}"


def test_tests_that_are_named_after_a_row_are_in_it() -> None:
    named = {row["id"]: {test.partition("::")[2] for test in row["tests"]} for row in ROWS}
    for path in [*(TESTS / "faults").glob("test_*rows.py"), *(TESTS / "guard" / "live").glob("test_*.py")]:
        for name in functions(path):
            for word in name.split("_")[1:]:
                row = word.upper()
                if row not in named:
                    break  # the name's other words follow
                if name not in named[row] and (row, name) not in ALSO:
                    raise AssertionError(f"{path.name}::{name} is named after {row}, and the index does not have it")


ALSO = {
    ("A4", "test_a4_a6_a8_whatever_is_no_plain_answer_leaves_the_order_unknown"),
    ("A6", "test_a4_a6_a8_whatever_is_no_plain_answer_leaves_the_order_unknown"),
    ("A8", "test_a4_a6_a8_whatever_is_no_plain_answer_leaves_the_order_unknown"),
    ("E1", "test_e1_a_clock_that_is_off_by_less_than_the_limit_is_let_be"),
}


def test_the_page_shows_the_index() -> None:
    """To write it anew: ``python -m tests.faults.test_matrix``."""
    page = PAGE.read_text(encoding="utf-8")
    assert page.partition(BEGIN)[2].partition(END)[0].strip() == table()


def write_page() -> None:
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n\n{table()}\n\n{END}{rest.partition(END)[2]}", encoding="utf-8")


if __name__ == "__main__":
    write_page()
