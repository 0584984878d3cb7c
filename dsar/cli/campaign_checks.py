"""What `dsar doctor` looks at in a home with campaigns."""

from __future__ import annotations

from dsar.cli.app import App
from dsar.core.campaign_events import (
    CAMPAIGN_PREFIX,
    MEMBER_PREFIX,
    MandateIssued,
    MandateSigned,
)
from dsar.errors import DsarError, NotSetUp
from dsar.store import Store


def campaigns_here(app: App) -> list[str]:
    """The ids of the campaigns in the ledger; none where the ledger cannot be read."""
    if app.config.store == "tinydb:" and not app.home.campaigns.is_dir():
        return []
    try:
        with app.reading() as store:
            return [s.removeprefix(CAMPAIGN_PREFIX) for s in store.streams(CAMPAIGN_PREFIX)]
    except DsarError:  # another check says why
        return []


def papers_of_members(store: Store) -> set[str]:
    """The digests of mandates, as issued and as signed, that the archive has to have."""
    return {r.event.digest for _, recorded in store.history(MEMBER_PREFIX) for r in recorded
            if isinstance(r.event, MandateIssued | MandateSigned)}


def keys_of(app: App, campaign_id: str) -> str:
    """Whether the keys of a campaign are here and are its own, in words. Raises NotSetUp."""
    from dsar.campaign.keys import CONTENT, load_keyring
    from dsar.campaign.roster import load_campaign
    from dsar.cli.campaigning import campaign_folder

    with app.reading() as store:
        campaign = load_campaign(store, campaign_id)
    if campaign.purged is not None:
        return "its members' data are deleted"
    folder = campaign_folder(app, campaign_id)
    if load_keyring(folder).public != campaign.started.sending_key:
        raise NotSetUp(f"{folder}: these are keys of another campaign.",
                       hint="Copy them from the machine on which it was begun.")
    kept = f"; {CONTENT} lies here, and belongs to the keeper" if (
        folder / CONTENT).exists() else ""
    return f"keys are here{kept}"
