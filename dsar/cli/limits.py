"""Setting the limits of an account; more than is cautious only after a yes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dsar.cli.app import App
from dsar.core.pacing import OFF, Limits
from dsar.errors import UsageProblem

if TYPE_CHECKING:
    from dsar.mail.account import Account


def set_limits(app: App, account: Account, wanted: Mapping[str, int]) -> Account:
    """Write other limits into config.yaml and return the account as it is then.

    wanted: fields of `Limits`; none means the usual ones. Raises UsageProblem, NeedsConfirmation.
    """
    from dsar.cli.setup import change_account

    usual = usual_limits(account)
    before = usual if account.limits == OFF or not wanted else account.limits
    values: dict[str, Any] = {key: _typed(key, value) for key, value in wanted.items()}
    limits = replace(before, **values)
    if limits.first_day is not None and limits.per_day is not None and (
            limits.first_day > limits.per_day):
        raise UsageProblem(f"The first day ({limits.first_day}) may not have more than every day "
                           f"({limits.per_day}).")
    if bolder := _bolder(limits, usual):
        where = f"known for {account.provider}" if account.provider else "for an unknown provider"
        app.say(f"  More than the cautious limits {where}: {', '.join(bolder)}.")
        app.ask_yes("A provider may lock an account for this. Set it?")
    changed = replace(account, limits=limits)
    change_account(app, changed)
    return changed


def usual_limits(account: Account) -> Limits:
    """The cautious limits of the account's provider, else of an unknown one."""
    from dsar.mail.advice import known_provider
    from dsar.mail.providers import FALLBACK, provider

    known = known_provider(account) or provider(FALLBACK)
    return known.limits if known is not None else Limits()


def _typed(key: str, value: int) -> float:
    return float(value) if key.endswith("_s") else value


def _bolder(limits: Limits, usual: Limits) -> list[str]:
    """Which counts are higher, and which pauses shorter, than usual; None is no limit at all."""
    more = [key for key in ("first_day", "per_day", "per_minute")
            if (top := getattr(usual, key)) is not None
            and ((now := getattr(limits, key)) is None or now > top)]
    less = [key for key in ("jitter_s", "per_domain_s")
            if getattr(limits, key) < getattr(usual, key)]
    return [f"{key} {_shown(getattr(limits, key))} (usual {_shown(getattr(usual, key))})"
            for key in (*more, *less)]


def _shown(value: float | None) -> str:
    return "without limit" if value is None else f"{value:g}"
