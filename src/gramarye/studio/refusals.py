"""Why the studio says no, each with its HTTP status; any other GramaryeError is 400.

RULE; got RECEIVED. REMEDY — as all errors here, in one line, which the page shows where it happened.
"""

from __future__ import annotations

from gramarye.errors import GramaryeError, ImageError


class Refusal(GramaryeError):  # noqa: N818  what it is
    """The request cannot be met; `status` is what the answer carries."""

    status = 400


class Unknown(Refusal):
    """There is nothing with that identifier."""

    status = 404


class UnknownPicture(Unknown, ImageError):  # noqa: N818  the same
    """The gallery has no such picture."""


class Full(Refusal):
    """A quota is used up: something must be deleted first."""

    status = 409


class TooLarge(Refusal):
    """More bytes or pixels than are taken."""

    status = 413


class TooManyPixels(TooLarge, ImageError):  # noqa: N818  the same
    """A picture is too large to be taken in."""


class Busy(Refusal):
    """Too much is asked for at a time; later it may be met."""

    status = 503


class TooSlow(Refusal):
    """The sender did not go on sending."""

    status = 408


def status_of(error: GramaryeError) -> int:
    """The HTTP status that an error is answered with."""
    return error.status if isinstance(error, Refusal) else 400
