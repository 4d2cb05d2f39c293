"""Open a database of anybody for reading: whatever its schema and pages say, a statement ends in bounded time.

A file that is shown as a table of rosbag2 may be anything in SQL: a view without an end, a column that is computed, a
table that a module of the library makes up. None of these is made by a recorder; all are refused before they are asked.
"""

import os
import re
import sqlite3
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any, final
from urllib.parse import quote

from alpamayo_ros.errors import BagCorruptError

DATABASE_ERRORS = (sqlite3.Error, OverflowError, ValueError, TypeError, LookupError)
"""What a damaged database raises: its own errors, text that is not UTF-8, columns that are missing or of odd types."""

TABLES = ("topics", "messages", "message_definitions", "metadata", "schema")
"""Every table that rosbag2 makes."""

_PLAIN_SQL = re.compile(r"CREATE\s+(TABLE|INDEX|UNIQUE\s+INDEX|TRIGGER)\s", re.IGNORECASE)
_HANDLER_STEPS = 5_000
_LEAST_STEPS = 2_000_000
_STEPS_PER_BYTE = 8
"""Of the library's virtual machine; sorting 100,000 rows without payload takes 1.7 for a byte of the file."""
_SPARE_BYTES = 1024 * 1024
_SHOWN_CHARS = 40


@final
class SqliteConnection:
    """A database, open for reading; it is taken as immutable, so that nothing is created beside it.

    Attributes:
        tables: Names of its tables.
        payload_sql: What to ask for instead of the column ``data`` of the messages.
    """

    def __init__(self, path: Path) -> None:
        """Open the file and look at its schema.

        Args:
            path: The file; its name need not be text.

        Raises:
            BagCorruptError: It is no database, or one of its tables is none that a recorder makes.
        """
        self._path = path
        self._steps_left = 0
        self._interruption: BaseException | None = None
        self._watch = self._watched()
        try:
            size = path.stat().st_size
            location = quote(os.fsencode(os.path.realpath(path)))
            self._connection = sqlite3.connect(f"file:{location}?mode=ro&immutable=1", uri=True, isolation_level=None)
        except (sqlite3.Error, OSError) as error:
            raise self.fault(error) from error
        self._most_steps = _LEAST_STEPS + _STEPS_PER_BYTE * size
        # No value is longer than the file that holds it, whatever its header says.
        self.payload_sql = "data" if sys.version_info >= (3, 11) else bounded_sql("data", size)
        if sys.version_info >= (3, 11):
            most = self._connection.getlimit(sqlite3.SQLITE_LIMIT_LENGTH)
            self._connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, min(size + _SPARE_BYTES, most))
        self._connection.set_progress_handler(self._watch.__next__, _HANDLER_STEPS)
        try:
            for setting in ("trusted_schema = OFF", "cell_size_check = ON", "ignore_check_constraints = ON"):
                self.execute(f"PRAGMA {setting}")
            self.tables = self._validated_tables()
        except DATABASE_ERRORS as error:
            self.close()
            raise self.fault(error) from error
        except BaseException:
            self.close()
            raise

    def execute(self, statement: str, values: tuple[int | str, ...] = ()) -> sqlite3.Cursor:
        """Run one statement; the steps that it may take are counted from here on.

        Raises:
            sqlite3.Error: The database is damaged, or the statement took too long; hand it to ``fault``.
        """
        self.let_interruption_through()
        self._steps_left = self._most_steps
        return self._connection.execute(statement, values)

    def columns(self, table: str) -> tuple[str, ...]:
        """Return the names of a table's columns."""
        return tuple(str(row[0]) for row in self.execute("SELECT name FROM pragma_table_info(?)", (table,)))

    def problems(self) -> list[str]:
        """Return what the library's own check finds wrong, 20 sentences at most.

        It computes expressions of indexes; where there is one, or a table that rosbag2 does not make, the tables of
        rosbag2 are looked at without their indexes.

        Raises:
            sqlite3.Error: The check took too long; hand it to ``fault``.
        """
        checks = ["integrity_check(20)"]
        if not self.tables <= set(TABLES) or self._computes_index():
            checks = [f"quick_check({table})" for table in TABLES if table in self.tables]
        found = [str(row[0]) for check in checks for row in self.execute(f"PRAGMA {check}")]
        self.let_interruption_through()
        return [problem for problem in found if problem != "ok"][:20]

    def fault(self, error: Exception) -> BagCorruptError:
        """Word what a statement raised.

        Raises:
            BaseException: What a signal raised while the statement ran, which the library swallows.
        """
        self.let_interruption_through()
        reason: object = error
        if self._steps_left < 0:
            reason = f"a statement took more than {self._most_steps} steps"
        return BagCorruptError(
            f"bag file {self._path} is damaged or no database ({reason}); expected a rosbag2 database: "
            "run 'alpamayo bag recover' on the bag"
        )

    def let_interruption_through(self) -> None:
        """Raise what a signal raised while a statement ran; nothing without one."""
        if self._interruption is not None:
            interruption, self._interruption = self._interruption, None
            raise interruption

    def close(self) -> None:
        """Close the database."""
        self._watch.close()
        self._connection.close()

    def _watched(self) -> Generator[int, None, None]:
        """Answer the library, again and again, whether the statement is to be given up.

        The library swallows what its handler raises. A function could not catch a signal that arrives as it is
        entered; a generator is entered inside of its ``try``.
        """
        answer = 0
        while True:
            try:
                while True:
                    yield answer
                    self._steps_left -= _HANDLER_STEPS
                    answer = int(self._steps_left < 0)
            except GeneratorExit:  # noqa: PERF203 - it is entered once for each answer, not each time round
                return
            except BaseException as error:  # noqa: BLE001 - let_interruption_through raises it again
                self._interruption = error
                answer = 1

    def _validated_tables(self) -> frozenset[str]:
        """Return the names of the tables, all of which are plain."""
        tables = set()
        for kind, name, root, sql in self.execute("SELECT type, name, rootpage, sql FROM sqlite_master"):
            match = _PLAIN_SQL.match(sql) if isinstance(sql, str) else None
            if match is not None and match[1].upper() == "TRIGGER":
                continue  # Nothing is written, so none is run.
            if (match is None and (kind, sql) != ("index", None)) or type(root) is not int or root <= 0:
                raise self._foreign(f"{shown(name)} among its tables, which has no rows of its own")
            if kind == "table":
                tables.add(str(name))
        for table in TABLES:
            hidden = "SELECT name FROM pragma_table_xinfo(?) WHERE hidden != 0"
            for (column,) in self.execute(hidden, (table,)):
                raise self._foreign(f"the computed column {shown(column)} in its table {table}")
        return frozenset(tables)

    def _computes_index(self) -> bool:
        query = (
            "SELECT 1 FROM pragma_index_list(?) AS listed, pragma_index_xinfo(listed.name) AS part "
            "WHERE listed.partial OR part.cid = -2 LIMIT 1"
        )
        return any(self.execute(query, (table,)).fetchone() for table in TABLES)

    def _foreign(self, what: str) -> BagCorruptError:
        return BagCorruptError(
            f"bag file {self._path} has {what}; expected the plain tables of rosbag2: "
            "run 'alpamayo bag recover' on the bag"
        )


def bounded_sql(column: str, most_bytes: int) -> str:
    """Return SQL for a blob that is NULL where it is longer; Python 3.10 cannot set the library's own limit.

    The length is read from the row's header: the blob itself is not touched.
    """
    return f"CASE WHEN typeof({column}) = 'blob' AND length({column}) <= {most_bytes} THEN {column} END"


def shown(value: Any) -> str:
    """Return a value of a database as it may stand in a sentence, however long it is."""
    return repr(value[:_SHOWN_CHARS] if isinstance(value, (str, bytes)) else value)
