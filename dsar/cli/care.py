"""Deals with messages one by one, so that one that fails keeps none of the others from us."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from dsar.errors import DsarError, StorageFailed

_T = TypeVar("_T")


@dataclass(frozen=True)
class Failure:
    """Why a message could not be dealt with; it is to be tried again."""

    why: str


@dataclass
class Care:
    """What goes wrong with one message is a Failure; what concerns all of them is raised."""

    storage_failed: bool = False

    def over(self, action: Callable[[], _T]) -> _T | Failure:
        """Do it. A second message in a row that cannot be written is no matter of the message."""
        from dsar.mail import Unfetchable

        try:
            done = action()
        except Unfetchable as error:
            return Failure(str(error))
        except StorageFailed as error:
            if self.storage_failed or type(error) is not StorageFailed:
                raise
            self.storage_failed = True
            return Failure(str(error))
        except DsarError:
            raise
        except Exception as error:  # a fault of ours in one message keeps back no other one
            return Failure(f"reading it fails ({type(error).__name__})")
        self.storage_failed = False
        return done
