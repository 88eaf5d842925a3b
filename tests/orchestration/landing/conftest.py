"""The real parts that feeds are landed from."""

from tests.parts.gcs import _gcs_server, bucket
from tests.parts.kafka import broker
from tests.parts.postgres import _postgres_server, postgres

__all__ = ["_gcs_server", "_postgres_server", "broker", "bucket", "postgres"]
