"""The locks pin every dependency by hash, fit pyproject.toml, and name no registry."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from benchmarks.peers.environments import PACKAGES
from tests.docs.markdown import ROOT

PIN = re.compile(
    r"^(?P<name>[a-z0-9-]+)==(?P<version>[^ \\]+)(?: ; [^\\]+)? \\\n(?P<hashes>(?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.MULTILINE
)
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def group(name: str) -> list[str]:
    """A dependency group with those that it includes."""
    found: list[str] = []
    for entry in PROJECT["dependency-groups"][name]:
        found += [entry] if isinstance(entry, str) else group(entry["include-group"])
    return found


RUN = PROJECT["project"]["dependencies"]
BUILD = PROJECT["build-system"]["requires"]
EXTRAS: dict[str, list[str]] = PROJECT["project"]["optional-dependencies"]
WANTED = {
    "base.txt": RUN + BUILD,
    "dev.txt": RUN + BUILD + group("dev") + [wanted for extra in EXTRAS.values() for wanted in extra],
    "node.txt": group("node"),
    **{f"extra-{name}.txt": RUN + wanted for name, wanted in EXTRAS.items()},
}
every_lock = pytest.mark.parametrize("lock", sorted(WANTED))
PEERS = ROOT / "benchmarks" / "peers" / "requirements"
every_peer = pytest.mark.parametrize("peer", sorted(path.stem for path in PEERS.glob("*.in")))


def read(lock: str) -> str:
    return (ROOT / "requirements" / lock).read_text(encoding="utf-8")


def pins(lock: str) -> dict[str, Version]:
    return {match["name"]: Version(match["version"]) for match in PIN.finditer(read(lock))}


def test_each_lock_is_known() -> None:
    assert {path.name for path in Path(ROOT / "requirements").iterdir()} == set(WANTED)


@every_lock
def test_every_line_is_a_pin_its_hashes_or_a_comment(lock: str) -> None:
    rest = [line for line in PIN.sub("", read(lock)).splitlines() if line and not line.lstrip().startswith("#")]
    assert rest == []


@every_lock
def test_what_the_project_asks_for_is_pinned_to_a_version_that_fits(lock: str) -> None:
    pinned = pins(lock)
    for text in WANTED[lock]:
        requirement = Requirement(text)
        version = pinned.get(canonicalize_name(requirement.name))
        assert version is not None, f"{requirement.name} is not in {lock}: run `make lock`"
        assert version in requirement.specifier, f"{requirement} is pinned to {version} in {lock}: run `make lock`"


@pytest.mark.parametrize("lock", sorted(set(WANTED) - {"dev.txt", "node.txt"}))
def test_what_was_tested_is_what_runs(lock: str) -> None:
    tested = pins("dev.txt")
    assert {name: version for name, version in pins(lock).items() if tested.get(name) != version} == {}


@every_lock
def test_no_registry_is_named(lock: str) -> None:
    assert re.findall(r"\S*://\S*|--(?:extra-)?index-url.*|--find-links.*", read(lock)) == []


@every_peer
def test_a_peers_lock_is_pinned_by_hash_and_names_no_registry(peer: str) -> None:
    text = (PEERS / f"{peer}.txt").read_text(encoding="utf-8")
    assert [line for line in PIN.sub("", text).splitlines() if line and not line.lstrip().startswith("#")] == []
    assert "://" not in text
    pinned = {canonicalize_name(match["name"]): Version(match["version"]) for match in PIN.finditer(text)}
    asked = [Requirement(line.partition("#")[0]) for line in (PEERS / f"{peer}.in").read_text(encoding="utf-8").splitlines()]
    assert [wanted for wanted in asked if pinned[canonicalize_name(wanted.name)] not in wanted.specifier] == []


def test_each_peer_has_its_lock() -> None:
    assert {path.name for path in PEERS.iterdir()} == {f"{peer}.{end}" for peer in PACKAGES for end in ("in", "txt")}


def test_the_dashboard_is_pinned_by_hash_and_names_no_registry() -> None:
    packages = json.loads((ROOT / "ui" / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    # What is bundled comes inside of another package, under that one's hash.
    installed = {name: entry for name, entry in packages.items() if name and not entry.get("inBundle")}
    assert installed
    assert [name for name, entry in installed.items() if "resolved" in entry or not entry.get("integrity", "").startswith("sha512-")] == []


def test_the_dashboard_can_be_installed_on_every_platform() -> None:
    """A lock written where a registry or node_modules lacked some platform's package is refused by npm ci on all of them."""
    packages = json.loads((ROOT / "ui" / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    names = {path.rpartition("node_modules/")[2] for path in packages}
    wanted = {name for entry in packages.values() for name in entry.get("optionalDependencies", {})}
    assert wanted
    assert sorted(wanted - names) == []
