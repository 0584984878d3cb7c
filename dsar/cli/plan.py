"""`dsar plan`: the plan as a file, to review, cut down and send later."""

from __future__ import annotations

from pathlib import Path

import click

from dsar.cli.app import App, pass_app
from dsar.cli.mailing import account_note, sending_account
from dsar.cli.options import Selector, global_options, selectors
from dsar.cli.planning import Wish, for_account, make_plan, plan_items


@click.command()
@selectors
@click.option("--account", "account_name", metavar="NAME", help="As sent from this account.")
@click.option("--lang", "language", metavar="XX", help="Write in this language.")
@click.option("--include-unverified", is_flag=True,
              help="Also companies and addresses that nobody has verified.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path),
              help="Write the plan to this file instead of standard output.")
@global_options
@pass_app
def plan(app: App, *, wanted: Selector, account_name: str | None, language: str | None,
         output: Path | None, include_unverified: bool) -> None:
    """Write the plan as YAML: letters first, then every company without one and why.

    To send exactly the letters of a plan you have looked through, name the companies:
    dsar send --only A,B. Nothing is sent or recorded here.
    """
    from dsar import yamlfile
    from dsar.home import write_private

    with app.reading() as store:
        wish = Wish(right=wanted.right or "access", language=language,
                    include_unverified=include_unverified)
        found = make_plan(app, wanted, wish, list(store.cases()), store.house())
    if account_name is not None or app.config.accounts:
        account = sending_account(app, account_name)
        found = for_account(app, found, account, wish.channel)
        app.say(account_note(app, account) or f"Account {account.address}.")
    items = plan_items(found)
    if app.settings.json:
        app.emit("plan", items, {"letters": found.count, "skipped": len(found.skipped)})
        return
    text = yamlfile.dump({
        "letters": [i for i in items if "skipped" not in i],
        "skipped": [i for i in items if "skipped" in i],
    })
    if output is None:
        click.echo(text, nl=False)
    else:
        write_private(output, text.encode())
        app.say(f"Wrote {found.count} letters to {output}.")
    slugs = ",".join(i["company"] for i in items if "skipped" not in i)
    app.next(f"dsar send --only {slugs}" if 0 < len(slugs) < 200 else "dsar send --all -n")
