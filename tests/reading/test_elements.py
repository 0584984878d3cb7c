"""Which demands an access answer speaks of, in several languages."""

from __future__ import annotations

import pytest

from dsar.core.message import Message
from dsar.reading.elements import stated


def demands(text: str) -> set[str]:
    return set(stated(Message(digest="d", message_id=None, own_text=text, subject="Re: x")))


@pytest.mark.parametrize("text", [
    "Attached is a copy of your data.\nPurpose: delivery.\nRecipients: Parcel Ltd.\n"
    "Retention period: three years.\nSource: your order.\nNo automated decisions take place.",
    "Anbei erhalten Sie eine Kopie Ihrer Daten.\nZweck: Versand.\nEmpfänger: Paket GmbH.\n"
    "Speicherdauer: drei Jahre.\nHerkunft: Ihre Bestellung.\n"
    "Eine automatisierte Entscheidungsfindung findet nicht statt.",
    "Veuillez trouver ci-joint une copie de vos données.\nFinalité : livraison.\n"
    "Destinataires : Colis SA.\nDurée de conservation : trois ans.\nSource : votre commande.\n"
    "Aucune décision automatisée n'est prise.",
])
def test_what_the_text_says_is_found(text: str) -> None:
    assert {"copy", "purposes", "recipients", "retention", "source", "automated"} <= demands(text)


@pytest.mark.parametrize("text", [
    "We cannot name the source of the data.",
    "We have withheld the recipients.",
    "We will send you the retention periods later.",
    "Which purposes do you mean?",
])
def test_what_is_withheld_or_put_off_is_not_stated(text: str) -> None:
    assert demands(text) == set()


def test_each_statement_names_its_sentence() -> None:
    found = stated(Message(digest="d", message_id=None, subject="Re: x",
                           own_text="We wrote to you.\nThe source is a public register."))
    assert found == {"source": "The source is a public register."}
