"""The tables as the present version reads them; `migrations` makes them.

Times are microseconds since 1970 (UTC), structured values are JSON in ASCII.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Double, LargeBinary, MetaData, Table, Text

METADATA: Final = MetaData()

DOCUMENTS: Final = Table(
    "documents",
    METADATA,
    Column("digest", Text, primary_key=True),
    Column("content", LargeBinary),
)
"""Each workflow once. digest: SHA-256 of its canonical JSON. content: its JSON through zlib; empty where lost."""

JOBS: Final = Table(
    "jobs",
    METADATA,
    Column("number", BigInteger, primary_key=True),
    Column("id", Text),
    Column("state", Text),
    Column("wish", Text),
    Column("origin", Text),
    Column("owner", Text),
    Column("batch", Text),
    Column("batch_index", BigInteger),
    Column("client_key", Text),
    Column("request_digest", Text),
    Column("workflow", Text),
    Column("priority", BigInteger),
    Column("position", BigInteger),
    Column("losses", BigInteger),
    Column("claim", BigInteger),
    Column("created", BigInteger),
    Column("started", BigInteger),
    Column("finished", BigInteger),
    Column("seconds", Double),
    Column("request", Text),
    Column("result", Text),
    Column("search", Text),
)
"""client_key: SHA-256 of the key, which itself is in `request`: all but workflow and priority, and the title.
owner: who runs it, while it runs. result: error, outputs, files, ran and cached, once it has ended."""

BATCHES: Final = Table(
    "batches",
    METADATA,
    Column("number", BigInteger, primary_key=True),
    Column("id", Text),
    Column("label", Text),
    Column("client_key", Text),
    Column("request_digest", Text),
    Column("created", BigInteger),
)

TARGETS: Final = Table(
    "targets",
    METADATA,
    Column("job", Text, primary_key=True),
    Column("node", Text, primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("path", Text),
)
"""Where an effect writes, noted before it does. node and path are JSON strings."""

EVENTS: Final = Table(
    "events",
    METADATA,
    Column("sequence", BigInteger, primary_key=True),
    Column("job", Text),
    Column("kind", Text),
    Column("time", BigInteger),
    Column("data", Text),
)

MARKS: Final = Table("marks", METADATA, Column("name", Text, primary_key=True), Column("value", BigInteger))
"""position: the next free place at the end of the queue. paused: whether the queue is."""
