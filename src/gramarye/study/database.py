"""The database of a store: Optuna's tables on SQLite or PostgreSQL, and one of ours beside them.

Optuna makes and checks its tables; studies, trials, their parameters, values and user attributes are where it has
them, so that `optuna.load_study` and its dashboard read a store as any other. What Optuna's public interface
cannot do is done in SQL, here and in store.py alone, on tables whose shape is Optuna's storage schema (12, checked by
Optuna whenever a study is begun) rather than its Python code:

- On SQLite its queue hands one trial to two processes (optuna issues 4002 and 4621: reading a waiting trial and marking
  it as running are two transactions). Here a writing transaction is alone from its beginning.
- Its heartbeat works under `study.optimize` only, and a stale trial is failed for good and queued anew under
  another number. Here it is the same trial, which waits again.
- Adding a trial counts all before it: 100 000 would take hours.

Our table has, for each trial, what Optuna has no place for: its place in the plan, who holds it and since when it was
last heard of, how often it was tried.
"""

from __future__ import annotations

import sqlite3
import threading
import time
import warnings
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gramarye.errors import MissingExtraError, StudyError

if TYPE_CHECKING:
    from optuna.storages import RDBStorage
    from sqlalchemy import URL, Connection, Engine, Table

BUSY = 60.0  # seconds to wait for others that write
OPTUNAS = ("studies", "study_user_attributes", "trials", "trial_user_attributes", "trial_params", "trial_values")
OURS = "gramarye_trials"
ADVISORY = 0x6772616D  # the number of the lock on PostgreSQL under which a store is made: "gram"
_REMEDY = "what is done is kept: mend this and give the same command again"


def require() -> None:
    """Raises MissingExtraError unless what studies need is installed."""
    for module in ("optuna", "sqlalchemy"):
        if find_spec(module) is None:  # not imported: to read a store needs no Optuna
            raise MissingExtraError("a study needs Optuna", f"no module {module}", "pip install 'gramarye[study]'")


class Database:
    """A database by its address: a file of SQLite's, or a `postgresql://` URL. Connected when it is first used."""

    def __init__(self, where: Path | str) -> None:
        self.file = where if isinstance(where, Path) else None
        self.where = str(where)
        self._watched = threading.Lock()

    @cached_property
    def url(self) -> URL:
        """The address as SQLAlchemy has it."""
        from sqlalchemy import URL, make_url
        from sqlalchemy.exc import ArgumentError

        if self.file is not None:
            return URL.create("sqlite", database=str(self.file.absolute()))
        try:
            return make_url(self.where).set(drivername="postgresql+psycopg")
        except ArgumentError as error:
            raise StudyError(
                "a store's address must be a URL", self.where, "postgresql://USER@HOST/DATABASE"
            ) from error

    @cached_property
    def address(self) -> str:
        """The address as Optuna wants it: a text, in which braces are doubled."""
        return self.url.render_as_string(hide_password=False).replace("{", "{{").replace("}", "}}")

    @cached_property
    def engine(self) -> Engine:
        """Our connections; Optuna has its own."""
        from sqlalchemy import create_engine, event

        try:
            engine = create_engine(self.url, **self._options)
        except ImportError as error:
            remedy = "pip install 'gramarye[postgres]'"
            raise MissingExtraError("a store on PostgreSQL needs psycopg", f"no module {error.name}", remedy) from error
        if self.file is not None:
            event.listen(engine, "connect", _on_connect)
            event.listen(engine, "begin", _on_begin)
        weakref.finalize(self, engine.dispose)  # else its connections stay open until some collection
        return engine

    @property
    def _options(self) -> dict[str, Any]:
        return {"connect_args": {"timeout": BUSY}} if self.file is not None else {"pool_pre_ping": True}

    @cached_property
    def tables(self) -> Mapping[str, Table]:
        """The tables by name, as they are in the database; raises StudyError if it is no store."""
        from sqlalchemy import MetaData

        if self.file is not None and not self.file.exists():
            raise StudyError("a store must be there to be read", str(self.file), "begin it with gramarye study run")
        metadata = MetaData()
        with self._told():
            metadata.reflect(self.engine, only=lambda name, _: name in {*OPTUNAS, OURS})
        if OURS not in metadata.tables:
            raise StudyError("a store must be there to be read", self.shown, "begin it with gramarye study run")
        return metadata.tables

    @property
    def shown(self) -> str:
        """The address as people may see it."""
        return self.where if self.file is not None else self.url.render_as_string()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that sees one state of the database and hinders nobody."""
        self.tables  # noqa: B018  not there: connecting would make the file
        with self._told(), self.engine.connect().execution_options(gramarye_reads=True) as connection:
            yield connection

    @contextmanager
    def writing(self, study: int | None = None) -> Iterator[Connection]:
        """A transaction; on SQLite alone in the database, on PostgreSQL alone in the study of this number."""
        self.tables  # noqa: B018  see above
        with self._told(), self.engine.begin() as connection:
            if self.file is None and study is not None:
                table = self.tables["studies"]
                locked = table.select().where(table.c.study_id == study).with_for_update()
                connection.execute(locked)
            yield connection

    def version(self) -> int:
        """A number that is another one after every commit of anybody; of SQLite only, comparable within this object.

        The times of files do not serve: two commits within one tick of the kernel's clock leave the same.
        """
        with self._told(), self._watched:
            return int(self._watch.execute("PRAGMA data_version").fetchone()[0])

    @cached_property
    def _watch(self) -> sqlite3.Connection:
        """A connection that never writes: `data_version` counts the commits of all others."""
        self.tables  # noqa: B018  see above
        watch = sqlite3.connect(self.where, timeout=BUSY, check_same_thread=False, isolation_level=None)
        weakref.finalize(self, watch.close)
        return watch

    def now(self, connection: Connection) -> float:
        """Seconds since 1970 by one clock for all: the server's, or on SQLite this machine's."""
        from sqlalchemy import text

        if self.file is not None:
            return time.time()
        return float(connection.execute(text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one())

    def optuna(self) -> RDBStorage:
        """Optuna's storage on this database, its tables made if they are not there, and ours."""
        require()
        from optuna.storages import RDBStorage
        from sqlalchemy.pool import NullPool

        with self._told(), self._alone(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:  # not pooled: nobody closes Optuna's connections
                storage = RDBStorage(self.address, engine_kwargs={**self._options, "poolclass": NullPool})
            except RuntimeError as error:  # tables of another version
                raise StudyError("a store must fit the Optuna that is installed", error) from error
            except ImportError as error:
                remedy = "pip install 'gramarye[postgres]'"
                raise MissingExtraError("a store on PostgreSQL needs psycopg", "no psycopg", remedy) from error
            _make_ours(self.engine)
        return storage

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Whoever makes tables is alone; a lock that ends with its process, however that ends."""
        from sqlalchemy import text

        if self.file is None:
            with self.engine.connect() as connection:
                connection.execute(text(f"SELECT pg_advisory_lock({ADVISORY})"))
                try:
                    yield
                finally:
                    connection.execute(text(f"SELECT pg_advisory_unlock({ADVISORY})"))
            return
        self.file.parent.mkdir(parents=True, exist_ok=True)
        lock = sqlite3.connect(self.file.with_suffix(".lock"), timeout=BUSY, isolation_level=None)
        try:
            lock.execute("BEGIN EXCLUSIVE")
            yield
        finally:
            lock.close()

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What goes wrong in a database as a StudyError."""
        from sqlalchemy.exc import SQLAlchemyError

        try:
            yield
        except (SQLAlchemyError, sqlite3.Error, OSError) as error:
            reason = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
            raise StudyError("a store must be readable and writable", f"{self.shown}: {reason}", _REMEDY) from error
        except Exception as error:
            if type(error).__name__ != "StorageInternalError":  # Optuna's, which need not be installed to read
                raise
            reason = str(error.__cause__ or error).partition("\n")[0]
            raise StudyError("a store must be readable and writable", f"{self.shown}: {reason}", _REMEDY) from error


def _on_connect(connection: Any, _: Any) -> None:
    """SQLite as a store wants it: readers beside one writer, and what is told done is on the disk."""
    connection.isolation_level = None  # transactions begin in `_on_begin`, not at the first statement that writes
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "cache_size=-65536"):
        connection.execute(f"PRAGMA {pragma}")


def _on_begin(connection: Connection) -> None:
    reads = connection.get_execution_options().get("gramarye_reads", False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def _make_ours(engine: Engine) -> None:
    from sqlalchemy import Column, Float, Index, Integer, MetaData, String, Table, Text

    table = Table(
        OURS,
        MetaData(),
        Column("trial_id", Integer, primary_key=True, autoincrement=False),
        Column("study_id", Integer, nullable=False),
        Column("number", Integer),  # in the plan; none: it was in an earlier version of the plan
        Column("experiment", String(512), nullable=False),
        Column("key", String(128), nullable=False),
        Column("tries", Integer, nullable=False),
        Column("owner", String(512)),  # while it runs
        Column("seen", Float),  # when its owner was last heard of
        Column("seconds", Float),
        Column("version", String(128)),
        Column("error", Text, nullable=False),
        Index("gramarye_trials_waiting", "study_id", "tries", "number"),
        Index("gramarye_trials_running", "study_id", "owner"),
        Index("gramarye_trials_key", "study_id", "key"),
    )
    table.metadata.create_all(engine)
