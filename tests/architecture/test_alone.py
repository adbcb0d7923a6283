"""The repository speaks of the project alone: no registries, no paths of a machine, no secrets."""

import re

from tests.architecture.sources import ROOT, files, name

# Written in pieces, so that this file may be looked at as well.
REGISTRIES = [
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("files", "python" + "hosted", "org"),
        ("repo1", "maven", "org"),
        ("repo", "maven", "apache", "org"),
        ("registry", "npmjs", "org"),
        ("proxy", "golang", "org"),
        ("deb", "debian", "org"),
        ("crates", "io"),
    )
]
MACHINE_PATHS = ["/" + folder + "/" for folder in ("root", "home/[a-z]+", "Users/[A-Za-z]+", "tmp/[a-z]+")]
SECRETS = ["-----" + "BEGIN [A-Z ]*PRIVATE KEY", "AKIA" + "[0-9A-Z]{16}"]
FORBIDDEN = re.compile(
    "|".join([*map(re.escape, REGISTRIES), *(r"(?<![\w.])" + p for p in MACHINE_PATHS), *SECRETS])
)

BINARY = {".gz", ".npz", ".png", ".ttf", ".woff2"}


def test_the_repository_speaks_of_the_project_alone() -> None:
    found = [
        f"{name(path)}:{number}: {match.group()}"
        for path in files()
        if path.suffix not in BINARY
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if (match := FORBIDDEN.search(line))
    ]
    assert found == []


def test_the_rule_sees_what_it_should_see() -> None:
    assert FORBIDDEN.search("https://" + REGISTRIES[0] + "/simple")
    assert FORBIDDEN.search("see /" + "home/somebody/notes")
    assert not FORBIDDEN.search("network/home/page, ./root/x, models/root/")


def test_pinned_dependencies_have_hashes_and_no_addresses() -> None:
    for file in ("constraints.txt", "constraints-build.txt", "constraints-dev.txt"):
        text = (ROOT / file).read_text(encoding="utf-8")
        assert "://" not in text
        assert "--index-url" not in text
        pinned = re.findall(
            r"^[a-z0-9-]+==[^\s]+.*\\\n\s+--hash=sha256:[0-9a-f]{64}", text, flags=re.MULTILINE
        )
        assert len(pinned) == len(re.findall(r"^[a-z]", text, flags=re.MULTILINE)) > 0
