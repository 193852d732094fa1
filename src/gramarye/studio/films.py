"""All films that are painted here: begun, steered, kept on the disk and found again, as `runs` does it for pictures.

After a restart finished films are there as they were; those that were not finished are `interrupted`, and `resume`
takes them up again, from the frames that are there.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gramarye.errors import unknown_name
from gramarye.studio import film_record
from gramarye.studio.commands import file_name
from gramarye.studio.film_clips import Clip, Clips, check_there
from gramarye.studio.film_record import FILM, VIEWS, FilmRecord
from gramarye.studio.film_sitting import FilmSitting
from gramarye.studio.gallery import Gallery
from gramarye.studio.kept import OVER
from gramarye.studio.refusals import Full, Refusal, Unknown
from gramarye.studio.runs import bytes_in
from gramarye.studio.steering import Steered
from gramarye.studio.worker import Publisher, Worker

SIZES = (256, 384, 640)  # long side in pixels
MOST, BYTES = 60, 4_000_000_000  # films, and what they may take on the disk
BYTES_A_PIXEL = 4.0  # of a painted frame, with its pictures: more than brush strokes were seen to take
PARTS = ("clip", "painting", "size")


class Films(Steered[FilmRecord, FilmSitting]):
    """The films in `home`/films; every method may be called from any thread."""

    ONE = "film"
    ACTIONS = ("pause", "resume", "stop")
    INSTEAD = "paint it again"

    def __init__(self, home: Path, gallery: Gallery, events: Publisher, worker: Worker) -> None:
        super().__init__(home / "films", FilmRecord, events, worker)
        self.clips, self.gallery = Clips(home), gallery

    # ---- to look at ------------------------------------------------------------------------------------------------

    def records(self) -> list[FilmRecord]:
        """All films, the newest first."""
        with self._lock:
            return sorted(self._records.values(), key=lambda each: (each.started, each.id), reverse=True)

    def shown(self, film: object) -> dict[str, Any]:
        """A film with its flicker, frame by frame, as `ShownFilm` in types.ts."""
        found = self.get(film)
        rows = film_record.rows(self.home / found.id)
        rows = [row for place, row in enumerate(rows) if row["index"] == place]
        return found.plain() | {"index": len(rows), "moments": film_record.columns(rows)}

    def picture(self, film: object, view: str, index: int) -> bytes:
        """A frame as a WebP; raises Unknown."""
        folder = self.home / self.get(film).id
        try:
            if view in VIEWS:
                return (folder / view / f"{index}.webp").read_bytes()
        except FileNotFoundError:
            pass
        raise Unknown("the film must have that picture", f"{view[:20]} {index}", "choose one of its frames")

    def written(self, film: object) -> tuple[Path, str]:
        """The file of a film that is written, and a safe name for it; raises Unknown as long as there is none."""
        found = self.get(film)
        path = self.home / found.id / FILM
        if not (found.film and path.is_file()):
            raise Unknown("only a film that is painted can be played", found.state, "stop it, or wait")
        return path, file_name(found.title, ".mp4", "film")

    # ---- to begin and to end ---------------------------------------------------------------------------------------

    def create(self, request: Mapping[str, Any]) -> FilmRecord:
        """Begin a film, as `FilmRequest` in types.ts; raises a GramaryeError for what cannot be painted."""
        check_there()
        made = self._record(request)
        with self._lock:
            self._check_room(made)
            folder = self.home / made.id
            folder.mkdir()
            try:
                made.save(folder)
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)
                raise
            self._records[made.id] = made
            self._sit(made, "resume")
        return made

    def _record(self, request: Mapping[str, Any]) -> FilmRecord:
        from gramarye import images

        for name in request:
            if name not in PARTS:
                raise Refusal(*unknown_name("part of a request", str(name)[:80], PARTS))
        size = request.get("size")
        if isinstance(size, bool) or size not in SIZES:
            raise Refusal("the long side of a film is one of " + ", ".join(map(str, SIZES)), repr(size)[:80])
        clip = self.clips.get(request.get("clip"))
        painting = request.get("painting")
        self.gallery.path_of(painting)  # that it is one of them
        own = clip.height, clip.width
        height, width = images.fitted_size(own, min(size, max(own)))
        images.check_size((height, width), clip.title, images.DEFAULT_MAX_MEGAPIXELS)
        return FilmRecord(
            id=secrets.token_hex(8),
            title=f"{clip.title} in the manner of {self.gallery.title_of(str(painting))}",
            clip=clip.id,
            painting=str(painting),
            size=size,
            width=width,
            height=height,
            rate=clip.rate,
            count=clip.frames,
            sound=clip.sound,
            started=datetime.now(UTC).isoformat(timespec="milliseconds"),
        )

    def _check_room(self, made: FilmRecord) -> None:
        """Raises Full where there are too many, or no room on the disk for another one."""
        needed = made.count * made.width * made.height * BYTES_A_PIXEL
        taken, free = bytes_in(self.home), shutil.disk_usage(self.home).free
        if len(self._records) >= MOST or taken + needed > BYTES:
            rule = f"the studio keeps {MOST} painted films and {BYTES / 1e9:g} GB"
            raise Full(rule, f"one more of up to {needed / 1e6:.0f} MB", "delete some films")
        if needed > free:
            received = f"{free / 1e6:.0f} MB for up to {needed / 1e6:.0f}"
            raise Full("the disk must have room for a film", received, "free some space, or choose a smaller size")

    def _sit(self, made: FilmRecord, action: str) -> None:
        """Queue a film, with a first wish."""
        sitting = FilmSitting(made, self.home / made.id, self.clips, self.gallery, self.events, self._changed)
        getattr(sitting.wishes, action)()
        self._sittings[made.id] = sitting
        self.events.publish("film", {"id": made.id})
        self.worker.begin(sitting)

    def remove_clip(self, clip: object) -> None:
        """Forget a film that was given; raises Refusal while one is painted of it."""
        found: Clip = self.clips.get(clip)
        with self._lock:
            if any(each.clip == found.id and each.state not in OVER for each in self._records.values()):
                remedy = "wait, or stop and delete what is painted of it"
                raise Refusal("a film is deleted when nothing is being painted of it", found.title, remedy)
            self.clips.remove(found.id)
        self.events.publish("film", {"id": found.id})

    # ---- to steer --------------------------------------------------------------------------------------------------

    def _untouched(self, found: FilmRecord) -> bool:
        return not found.index

    def _tell(self, found: FilmRecord) -> None:
        self.events.publish("film", {"id": found.id})
