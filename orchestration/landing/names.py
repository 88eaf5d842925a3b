"""What the columns of a source are called once they have landed: dlt decides, and contracts have to say the same."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from zlib import crc32

from dlt.common.normalizers.naming.snake_case import NamingConvention

from orchestration.warehouse import LANDING_COLUMNS

_naming = NamingConvention()
# Names that begin so belong to dlt and to BigQuery; a column has the same name in every warehouse.
RESERVED = ("_dlt", "_partition", "_table_", "_file_", "_row_timestamp", "_colidentifier", "_change_", "__root__")


def landed_name(spelling: str) -> str:
    """Returns the name under which a column of the source lands: `InvoiceNo` and `Invoice No` as `invoice_no`."""
    # dlt refuses a name of nothing but blanks.
    return _naming.normalize_identifier(spelling) if spelling.strip() else "x"


def landed_names(spellings: Iterable[str], contract: Collection[str]) -> dict[str, str]:
    """Returns the name under which each column of a file or table lands; no two columns become one.

    Args:
        spellings: The columns as the source spells them.
        contract: The columns that the contract names; they keep their names whatever else the source sends.
    """
    spellings = list(spellings)
    names: dict[str, str] = {}
    taken: set[str] = set(LANDING_COLUMNS)
    # Those that the contract spells the same come first: `price` is the contract's, and `Price` beside it is another.
    for spelling in sorted(spellings, key=lambda spelling: spelling not in contract):
        name = landed_name(spelling)
        if name in taken or name.startswith(RESERVED) or not (spelling.isascii() or name in contract):
            # Letters beyond ASCII all become an x.
            name = f"source_{name.strip('_')}_{crc32(spelling.encode('utf-8', 'backslashreplace')):08x}"
        names[spelling] = name
        taken.add(name)
    return {spelling: names[spelling] for spelling in spellings}
