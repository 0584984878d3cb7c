"""`dsar doctor`: check everything, one line each with the fix."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator, Sized
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click

from dsar.cli.app import App, pass_app
from dsar.cli.campaign_checks import campaigns_here, keys_of, papers_of_members
from dsar.cli.options import global_options
from dsar.errors import DoneInPart, DsarError


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing looked at. `fix` is what to do where it is not in order."""

    what: str
    ok: bool
    detail: str = ""
    fix: str = ""


@click.command()
@click.option("--network", is_flag=True, help="Also log in to the mail servers; sends nothing.")
@global_options
@pass_app
def doctor(app: App, *, network: bool) -> None:
    """Check the set-up, the ledger and the data, one line each with the fix.

    Reads only, and stays on this machine unless --network is given.
    """
    checks = [*_files(app), *_data(app), *_ledger(app), _mail(app)]
    if network:
        checks += list(_servers(app))
    items = [vars(check) for check in checks]
    if app.settings.json:
        app.emit("doctor", items, {"failed": sum(not c.ok for c in checks)})
    elif app.settings.plain:
        app.emit_rows(("what", "ok", "detail", "fix"), items)
    else:
        for check in checks:
            _show(check)
    if failed := [c for c in checks if not c.ok]:
        raise DoneInPart(f"{len(failed)} of {len(checks)} checks found something.",
                         hint="Each line above names its fix.")


def _show(check: Check) -> None:
    mark = click.style("ok", fg="green") if check.ok else click.style("!!", fg="red")
    click.echo(f"{mark}  {check.what}" + (f": {check.detail}" if check.detail else ""))
    if not check.ok and check.fix:
        click.echo(f"    -> {check.fix}")


def _try(what: str, attempt: Callable[[], str]) -> Check:
    try:
        return Check(what=what, ok=True, detail=attempt())
    except DsarError as error:
        return Check(what=what, ok=False, detail=str(error), fix=error.hint)


def _count(things: Sized, word: str) -> str:
    return f"{len(things)} {word}{'' if len(things) == 1 else 's'}"


def _files(app: App) -> Iterator[Check]:
    yield _try("config.yaml", lambda: _count(app.config.accounts, "account"))
    yield _try("people.yaml", lambda: _people(app))
    from dsar.cli.mailing import accounts

    yield _try("accounts", lambda: ", ".join(a.name for a in accounts(app)) or "none yet")
    open_files = [p for p in _private(app) if p.exists() and p.stat().st_mode & 0o077]
    listed = ", ".join(str(p) for p in open_files[:3])
    yield Check(what="private files", ok=not open_files, detail=listed,
                fix=f"chmod -R go-rwx {app.home.data_folder}")


def _people(app: App) -> str:
    """Who letters are for; a home that files for the members of a campaign needs nobody."""
    if not app.config.people and app.settings.person is None and list(campaigns_here(app)):
        return "nobody; the members of campaigns stand in the ledger"
    return app.config.person(app.settings.person).id


def _private(app: App) -> Iterator[Path]:
    for folder in {app.home.config_folder, app.home.data_folder}:
        if folder.is_dir():
            yield folder
            yield from (p for p in folder.rglob("*") if not p.is_symlink() and (
                stat.S_ISREG(p.stat().st_mode) or stat.S_ISDIR(p.stat().st_mode)))


def _data(app: App) -> Iterator[Check]:
    yield _try("registry", lambda: f"{len(app.registry)} companies")

    def laws() -> str:
        app.laws.check()
        return f"{len(app.laws.regimes)} laws"

    yield _try("laws", laws)
    yield _try("letters", lambda: ", ".join(app.letter_languages))


def _ledger(app: App) -> Iterator[Check]:
    def ledger() -> str:
        with app.reading() as store:
            cases = list(store.cases())
            doubtful = [c.id for c in cases if c.in_doubt]
        more = f", in doubt: {', '.join(doubtful)}" if doubtful else ""
        return f"{_count(cases, 'case')}{more}"

    def archive() -> str:
        with app.reading() as store:
            digests = {a.digest for c in store.cases() for a in c.approvals}
            digests |= {r.received.digest for c in store.cases() for r in c.replies}
            digests |= papers_of_members(store)
        missing = [d for d in digests if not app.archive.has(d)]
        if missing:
            raise DsarError(f"{len(missing)} mails named by the ledger are not in the archive.",
                            hint="Restore the archive folder from a backup.")
        return f"{len(digests)} mails named by the ledger, all there"

    def at_rest() -> str:
        from dsar.keeping.atrest import unfinished

        if not app.home.sealed_key.exists():
            return "not encrypted (dsar passphrase set)"
        if left := unfinished(app.home):
            raise DsarError(f"{left}.", hint="Run `dsar passphrase set` or `remove` again.")
        return "encrypted"

    yield _try("at rest", at_rest)
    yield _try("ledger", ledger)
    yield _try("archive", archive)
    for campaign_id in campaigns_here(app):
        yield _try(f"campaign {campaign_id}", partial(keys_of, app, campaign_id))
    if app.config.store.startswith(("postgresql:", "postgres:")):
        yield _try("projection", lambda: _projection(app))


def _projection(app: App) -> str:
    """Hold what PostgreSQL computed beforehand against the events."""
    from dsar.store.postgres import PostgresStore
    from dsar.store.postgres_projection import wrong

    with app.reading() as store:
        assert isinstance(store, PostgresStore)
        found = [there for _, there in wrong(store)]
    if found:
        raise DsarError(f"{sum(found)} cases differ from their events, "
                        f"{len(found) - sum(found)} are missing.", hint="dsar store rebuild")
    return "as the events say"


def _mail(app: App) -> Check:
    """Messages that could not be read: tried again by themselves, or left to the person."""
    from dsar.mailstate import FILES, load_state, placed, quarantined

    troubles = load_state(app.home.cursors).troubles.values()
    left = quarantined(troubles)
    listed = ", ".join(f"{placed(t.where)}: {t.why}" for t in (left or list(troubles))[:5])
    detail = f"{_count(left or list(troubles), 'message')} unread: {listed}" if troubles else ""
    fixes = {"dsar inbox read FILE, or remove the file" if t.where.account == FILES
             else "Look at it in your mail program; dsar poll --retry" for t in left}
    return Check(what="mail", ok=not left, detail=detail or "nothing left unread",
                 fix="; ".join(sorted(fixes)) or "dsar poll --retry")


def _servers(app: App) -> Iterator[Check]:
    from dsar.cli.mailing import accounts
    from dsar.cli.trying import try_account
    from dsar.mail.advice import advice

    for account in accounts(app):
        trial = try_account(app, account)
        steps = " ".join(advice(account, trial.results))
        for kind, error in trial.results.items():
            fix = " ".join(filter(None, (error.hint if error else "", steps)))
            yield Check(what=f"{account.name} {kind}", ok=error is None,
                        detail=str(error) if error else "works", fix=fix)
