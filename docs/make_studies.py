"""Keep a study's report in docs/studies, its pictures small: `python docs/make_studies.py REPORT NAME`.

REPORT is the folder that `gramarye study report` has written. Kept are the tables (report.md) and the drawings and
contact sheets, as JPEG without metadata; docs/studies/NAME.md says what they show and how they were made.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from PIL import Image

STUDIES = Path(__file__).parent / "studies"
LONGEST = 800  # px
QUALITY = 70
DRAWINGS = re.compile(r"-(curves|front|effects|interactions?|sheet-\d+)\.png$")


def keep(report: Path, name: str) -> None:
    """Copy the tables, and every drawing at most LONGEST px on a side."""
    target = STUDIES / name
    target.mkdir(parents=True, exist_ok=True)
    (target / "report.md").write_text((report / "report.md").read_text())
    for file in sorted((report / "figures").glob("*.png")):
        if DRAWINGS.search(file.name):
            with Image.open(file) as drawing:
                small = drawing.convert("RGB")
            small.thumbnail((LONGEST, LONGEST))
            small.save(target / f"{file.stem}.jpg", quality=QUALITY, optimize=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("report", type=Path)
    parser.add_argument("name")
    arguments = parser.parse_args()
    keep(arguments.report, arguments.name)
