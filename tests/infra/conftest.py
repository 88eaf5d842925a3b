"""The real parts that tests of what is deployed run against."""

from tests.parts.postgres import _postgres_server, postgres

__all__ = ["_postgres_server", "postgres"]
