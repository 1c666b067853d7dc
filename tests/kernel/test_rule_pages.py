"""Each rule in docs/matching.md and docs/risk.md names a test, and each test of a rule stands in the page."""

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

HERE = Path(__file__).parent
DOCS = HERE.parents[1] / "docs"


@pytest.mark.parametrize(
    ("page", "files"),
    [
        (
            "matching.md",
            (
                "test_matching_bars.py",
                "test_matching_trades.py",
                "test_matching_orders.py",
                "test_matching_path.py",
                "test_matching_quotes.py",
                "test_matching_book.py",
                "test_latency.py",
                "test_slippage.py",
                "test_fees.py",
                "test_margin.py",
            ),
        ),
        ("risk.md", ("test_risk_rules.py", "test_risk_limits.py", "test_risk_margin.py", "test_risk_orders.py", "test_risk_controls.py")),
    ],
)
def test_the_page_and_the_tests_tell_the_same_rules(page: str, files: tuple[str, ...]) -> None:
    named = Counter(re.findall(r"`(test_\w+)`", (DOCS / page).read_text(encoding="utf-8")))
    written = Counter(name for file in files for name in rules_in(HERE / file))
    assert set(named) == set(written)
    assert max(written.values()) == 1, "two files have a test of this name"
    assert max(named.values()) == 1, "a rule is told once"


def rules_in(path: Path) -> list[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]
