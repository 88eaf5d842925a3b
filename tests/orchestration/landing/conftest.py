"""The real parts that feeds are landed from."""

from tests.parts.gcs import _gcs_server, bucket
from tests.parts.kafka import broker
from tests.parts.postgres import _postgres_server, postgres
from tests.parts.s3 import _s3_server, s3_bucket

__all__ = ["_gcs_server", "_postgres_server", "_s3_server", "broker", "bucket", "postgres", "s3_bucket"]
