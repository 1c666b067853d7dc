"""The form of the decision records: ``docs/adr/README.md`` says what each part is for."""

import datetime
import re
from pathlib import Path

import pytest

from tests.docs.markdown import ROOT

FOLDER = ROOT / "docs" / "adr"
RECORDS = sorted(FOLDER.glob("[0-9]*.md"))
NAME = re.compile(r"(?P<number>\d{4})-[a-z0-9]+(-[a-z0-9]+)*\.md")
HEAD = re.compile(
    r"# (?P<number>\d+)\. (?P<title>[^\n]+[^.\n])\n\n- Status: (?P<status>[^\n]+)\n- Date: (?P<date>\d{4}-\d{2}-\d{2})\n\n## "
)
STATUS = re.compile(r"proposed|accepted|rejected|superseded by \[(?P<number>\d+)\]\((?P<file>[^)]+)\)")
REQUIRED = ["Context", "Decision", "Consequences"]
OPTIONAL = ["Alternatives considered"]

every_record = pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.stem)


def head_of(record: Path) -> re.Match[str]:
    head = HEAD.match(record.read_text(encoding="utf-8"))
    assert head, f"{record.name} must open as template.md does: number and title, status, date"
    return head


def test_there_are_records() -> None:
    assert RECORDS


def test_numbers_run_without_a_gap() -> None:
    assert [int(record.name[:4]) for record in RECORDS] == list(range(1, len(RECORDS) + 1))


@every_record
def test_name_and_title_have_the_same_number(record: Path) -> None:
    name = NAME.fullmatch(record.name)
    assert name, record.name
    assert int(head_of(record)["number"]) == int(name["number"])


@every_record
def test_status_is_known(record: Path) -> None:
    status = STATUS.fullmatch(head_of(record)["status"])
    assert status, head_of(record)["status"]
    if status["file"]:
        assert (FOLDER / status["file"]).is_file()
        assert status["file"].startswith(f"{int(status['number']):04}-")


@every_record
def test_date_is_a_day_that_has_been(record: Path) -> None:
    day = datetime.date.fromisoformat(head_of(record)["date"])
    assert datetime.date(2026, 1, 1) <= day <= datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=1)


@every_record
def test_sections_are_there_in_order_and_have_something_in_them(record: Path) -> None:
    parts = re.split(r"^## (.+)$", record.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    sections = dict(zip(parts[::2], parts[1::2], strict=True))
    assert [title for title in sections if title not in OPTIONAL] == REQUIRED
    for title, text in sections.items():
        assert len(text.split()) >= 10, f"{record.name}: {title} says nothing"


def test_the_index_lists_each_record_with_title_and_status() -> None:
    index = (FOLDER / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| \[(\d+)\]\(([^)]+)\) \| (.+?) \| (\w+)[^|]* \|$", index, re.MULTILINE)
    expected = [(head["number"], record.name, head["title"], head["status"].split()[0]) for record in RECORDS for head in [head_of(record)]]
    assert listed == expected


def test_the_template_has_the_form_that_is_asked_for() -> None:
    template = (FOLDER / "template.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (.+)$", template, re.MULTILINE) == ["Context", "Decision", "Alternatives considered", "Consequences"]
    assert re.match(r"# N\. .+\n\n- Status: proposed\n- Date: YYYY-MM-DD\n", template)
