"""Imports point inwards, and each third-party library is imported in one place."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "dsar"

LEVELS = {
    "errors": 0,
    "core": 1,
    "shipped": 2, "yamlfile": 2, "home": 2, "config": 2,
    "store": 3, "mail": 3, "law": 3, "registry": 3, "letters": 3, "reading": 3, "report": 3,
    "outbox": 4, "inbox": 4, "drafting": 4, "caseimport": 4, "papers": 4, "mailstate": 4,
    "heartbeat": 4, "sidebyside": 5, "campaign": 4, "evidence": 4, "demo": 4, "keeping": 4,
    "cli": 5,
}
FILES_AND_FOLDERS_ANYONE_MAY_USE = {"errors", "core", "shipped", "yamlfile", "home"}
HOUSES = {
    "click": ("cli/", "report/terminal.py", "demo/"),
    "jinja2": ("letters/words.py", "letters/sandbox.py", "report/html.py"),
    "yaml": ("yamlfile.py",),
    "holidays": ("law/",),
    "imapclient": ("mail/imap",),
    "tinydb": ("store/tiny",),
    "psycopg": ("store/postgres", "store/pg"),
    "docx": ("letters/",),
    "typst": ("letters/",),
    "smtplib": ("mail/smtp",),
    "aiosmtpd": ("demo/",),
    "cryptography": ("keeping/seal.py",),
    "pymap": ("demo/",),
    "dkim": ("mail/dkim.py",),
    "vl_convert": ("report/plot.py",),
    "msal": ("mail/microsoft.py",),
    "keyring": ("mail/secret.py",),
    "pyrage": ("store/agekeys.py",),
    "pyperclip": ("cli/clipboard.py",),
}


def _modules() -> list[Path]:
    return sorted(p for p in PACKAGE.rglob("*.py") if "_shipped" not in p.parts)


def _imports(path: Path) -> set[str]:
    """Every module a file imports, also inside functions and under TYPE_CHECKING."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def _room(module: str) -> str | None:
    parts = module.split(".")
    return parts[1] if parts[0] == "dsar" and len(parts) > 1 else None


def _own_room(path: Path) -> str:
    relative = path.relative_to(PACKAGE)
    return relative.parts[0] if len(relative.parts) > 1 else relative.stem


def test_every_room_has_a_level() -> None:
    rooms = {_own_room(p) for p in _modules()} - {"__init__", "__main__"}
    assert rooms <= set(LEVELS), rooms - set(LEVELS)


def test_imports_point_inwards() -> None:
    wrong = []
    for path in _modules():
        own = _own_room(path)
        for module in _imports(path):
            room = _room(module)
            if room is None or room not in LEVELS or own not in LEVELS or room == own:
                continue
            if LEVELS[room] > LEVELS[own]:
                wrong.append(f"{path.relative_to(ROOT)} imports {module}")
    assert wrong == []


def test_neighbours_do_not_import_each_other() -> None:
    wrong = []
    for path in _modules():
        own = _own_room(path)
        for module in _imports(path):
            room = _room(module)
            if room and room != own and LEVELS.get(room) == 3 == LEVELS.get(own):
                wrong.append(f"{path.relative_to(ROOT)} imports {module}")
    assert [w for w in wrong if "imports dsar.store" not in w or "dsar/report" not in w] == []


def test_the_core_uses_the_standard_library_only_and_touches_nothing() -> None:
    forbidden = {"os", "pathlib", "socket", "time", "subprocess", "shutil", "tempfile", "random"}
    import sys

    wrong = []
    for path in (PACKAGE / "core").glob("*.py"):
        for module in _imports(path):
            top = module.split(".")[0]
            inside = top == "dsar" and _room(module) in ("core", "errors", None)
            if top in forbidden or (top not in sys.stdlib_module_names and not inside):
                wrong.append(f"{path.name} imports {module}")
    assert wrong == []


def test_each_library_is_imported_in_one_place() -> None:
    wrong = []
    for path in _modules():
        relative = path.relative_to(PACKAGE).as_posix()
        for module in _imports(path):
            homes = HOUSES.get(module.split(".")[0])
            if homes and not relative.startswith(homes):
                wrong.append(f"{relative} imports {module}")
    assert wrong == []


def test_no_file_has_grown_past_400_lines() -> None:
    files = [*_modules(), *(ROOT / "tests").rglob("*.py"), *(ROOT / "bench").glob("*.py")]
    long = {p.relative_to(ROOT).as_posix(): n for p in files
            if (n := len(p.read_text(encoding="utf-8").splitlines())) > 400}
    assert long == {}
