"""Numbers as a reader sees them: in plain Unicode for a page, and for matplotlib's mathtext."""

from __future__ import annotations

import math

SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
LONGEST = 1e5  # larger numbers, unless they are whole and below ten times this, are written with a power of ten
SHORTEST = 1e-3  # smaller ones too


def written(forms: tuple[str, str], *values: float, digits: int = 4) -> dict[str, str]:
    """`numbers` and `mathtext_numbers` of a formula: the plain and the mathtext form with the values in them."""
    plain = [in_words(value, digits) for value in values]
    tex = [in_tex(value, digits) for value in values]
    return {"numbers": forms[0].format(*plain), "mathtext_numbers": forms[1].format(*tex)}


def in_words(value: float, digits: int = 4) -> str:
    """A number in so many digits as plain text: 3.142, 12,288 or 1.5·10⁹; whole ones in full below a million."""
    mantissa, exponent = _parts(value, digits)
    mantissa = mantissa.replace("-", "−")
    return mantissa if exponent is None else f"{mantissa}·10{str(exponent).translate(SUPERSCRIPTS)}"


def in_tex(value: float, digits: int = 4) -> str:
    """The same for mathtext."""
    mantissa, exponent = _parts(value, digits)
    mantissa = mantissa.replace(",", "{,}")
    return mantissa if exponent is None else rf"{mantissa} \cdot 10^{{{exponent}}}"


def _parts(value: float, digits: int) -> tuple[str, int | None]:
    """The digits of a number, and the power of ten if it is written with one."""
    if not math.isfinite(value):
        return str(value), None
    if value == int(value) and abs(value) < 10 * LONGEST:
        return f"{int(value):,}", None
    if SHORTEST <= abs(value) < LONGEST:
        return f"{value:,.0f}" if abs(value) >= 10 ** (digits - 1) else f"{value:.{digits}g}", None
    mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
    return mantissa, int(exponent)
