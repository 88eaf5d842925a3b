"""What counts as a value of a logical type: one grammar, so that each engine takes the same texts for the same values.

Casts of text differ: one engine takes `0x1A` for an integer, `2026-01-01 foo` for a date and drops the offset of a
time, another reads `1e3` as no integer. So the text decides by its form, and the cast only converts. The SQL is
DuckDB's; `orchestration.bigquery_sql` has what it means elsewhere.
"""

from __future__ import annotations

from orchestration.contracts import Column
from orchestration.date_formats import pattern_of, strptime_format
from orchestration.sql import literal

# What a logical type of the standard is in the warehouse.
SQL_TYPES = {
    "string": "varchar",
    "integer": "bigint",
    "number": "double",
    "date": "date",
    "timestamp": "timestamp",
    "boolean": "boolean",
}

# No engine bears years beyond 1 to 9999, and no sum bears NaN and infinities.
_BEARABLE = {
    "number": "isfinite({value})",
    "date": "{value} between date '0001-01-01' and date '9999-12-31'",
    "timestamp": "{value} between timestamp '0001-01-01' and timestamp '9999-12-31 23:59:59.999999'",
}

# RE2 on every engine, and no group that captures: one engine's extraction would return that group instead of the whole.
_NUMBER = r"\s*[+-]?(?:[0-9]+[.]?[0-9]*|[.][0-9]+)(?:[eE][+-]?[0-9]+)?\s*"
_DAY = "(?:[1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])-[0-9]{1,2}-[0-9]{1,2}"
_MINUTE = "(?:[01]?[0-9]|2[0-3]):[0-5]?[0-9]"
_SECOND = f"{_MINUTE}:[0-5]?[0-9]"
_OFFSET = "[+-](?:(?:0[0-9]|1[0-3])(?::?[0-5][0-9])?|14(?::?00)?)"
_DAY_OR_MOMENT = rf"\s*{_DAY}(?:[ T](?:{_MINUTE}|{_SECOND}(?:[.][0-9]+)?(?: ?UTC|Z|{_OFFSET})?))?\s*"
# An offset as `+02:00`; what engines have beyond microseconds they cut off.
_ZONED = rf"^\s*({_DAY}[ T]{_SECOND}(?:[.][0-9]{{1,6}})?)[0-9]*([+-][0-9]{{2}}):?([0-9]{{2}})?\s*$"

_TRUE, _FALSE = "'true', 't', 'yes', 'y', '1'", "'false', 'f', 'no', 'n', '0'"


def value_of(column: Column, raw: str) -> str:
    """Returns the SQL of a landed value in the logical type of its column, null where it cannot be read as that.

    Args:
        column: The column.
        raw: SQL of the value as it landed, in the column's physical type.
    """
    sql_type, landed_as = SQL_TYPES[column.logical_type], column.physical_type.lower()
    if sql_type == landed_as:
        # Without effect here; elsewhere a timestamp may have landed with its zone.
        return _bearable(column.logical_type, f"cast({raw} as timestamp)" if sql_type == "timestamp" else raw)
    text = raw if landed_as == "varchar" else f"cast({raw} as varchar)"
    if "format" in column.options and column.logical_type in ("date", "timestamp"):
        moment = f"cast(try_strptime({text}, {literal(strptime_format(column))}) as {sql_type})"
        return _bearable(column.logical_type, _where({_fits(text, rf"\s*{pattern_of(column)}\s*"): moment}))
    read = {"integer": _integer, "number": _number, "date": _date, "timestamp": _timestamp, "boolean": _boolean}
    return read[column.logical_type](text) if column.logical_type in read else text


def _integer(text: str) -> str:
    whole, number = f"try_cast({text} as bigint)", f"try_cast({text} as double)"
    return _where(
        {
            # Nearly every integer is written like this, and to match a pattern takes twice as long.
            f"cast({whole} as varchar) = {text}": whole,
            f"{_fits(text, _NUMBER)} and {number} = trunc({number})": (
                f"try_cast(try_cast(trim({text}) as decimal(38, 9)) as bigint)"
            ),
        }
    )


def _number(text: str) -> str:
    number = f"try_cast({text} as double)"
    # Beyond the grammar of numbers a cast takes these only, which is found out at less cost.
    return _where({f"isfinite({number}) and not contains({text}, '_') and not contains({text}, '+-')": number})


def _date(text: str) -> str:
    day = f"try_cast(regexp_extract({text}, {literal(_DAY)}) as date)"
    return _where({_fits(text, _DAY): f"try_cast({text} as date)", _fits(text, _DAY_OR_MOMENT): day})


def _timestamp(text: str) -> str:
    exact = f"{_DAY}(?:[ T]{_SECOND}(?:[.][0-9]{{1,6}})?Z?)?"
    local = f"regexp_extract({text}, {literal(f'{_DAY}(?:[ T]{_SECOND}(?:[.][0-9]{{1,6}})?|[ T]{_MINUTE})?')})"
    in_full = f"concat({local}, case when {_fits(local, f'{_DAY}[ T]{_MINUTE}')} then ':00' else '' end)"
    zoned = f"regexp_replace(regexp_replace({text}, {literal(_ZONED)}, '\\1\\2:\\3'), ':$', ':00')"
    in_utc = f"cast(make_timestamp(epoch_us(try_cast({zoned} as timestamptz))) as timestamp)"
    is_zoned = f"regexp_matches({text}, {literal(_ZONED)}) and {_fits(text, _DAY_OR_MOMENT)}"
    return _where(
        {
            _fits(text, exact): f"try_cast(rtrim({text}, 'Z') as timestamp)",
            is_zoned: _bearable("timestamp", in_utc),
            _fits(text, _DAY_OR_MOMENT): f"try_cast({in_full} as timestamp)",
        }
    )


def _boolean(text: str) -> str:
    return _where({f"lower({text}) in ({_TRUE})": "true", f"lower({text}) in ({_FALSE})": "false"})


def _bearable(logical_type: str, value: str) -> str:
    bearable = _BEARABLE.get(logical_type)
    return _where({bearable.format(value=value): value}) if bearable else value


def _fits(text: str, pattern: str) -> str:
    return f"regexp_full_match({text}, {literal(pattern)})"


def _where(values: dict[str, str]) -> str:
    return f"case {' '.join(f'when {condition} then {value}' for condition, value in values.items())} end"
