"""What gating a load means for the rows of other loads: whose file or key it brings again.

Which row of several with one key counts, and which landing of a file, follows from what is in the warehouse alone and
not from the order in which loads were gated; so a load that was gated anew leaves the same marks as if it had always
been gated by today's rules.
"""

from __future__ import annotations

from collections.abc import Sequence

from orchestration.connections import Connection
from orchestration.contracts import Feed
from orchestration.marks import (
    IS_SUPERSEDED,
    NOW,
    SUPERSEDED,
    SUPERSEDED_LANDINGS,
    find_superseded_landings,
    has_key,
    in_passed,
    is_unmarked,
    key_reason,
    key_rule,
    keys_of,
    scalar,
)
from orchestration.sql import literal

# The temporary table of the rows whose mark may have to change with that of another row.
_MOVED = "catalyst_moved_rows"


def settle(feed: Feed, connection: Connection, anew: Sequence[str] = ()) -> None:
    """Brings the marks of all loads in line with each other, after loads were gated or files have changed.

    A file that changed has landed again as a whole, so the rows of its earlier landings no longer count. Where that
    takes the row away that others repeated, the first of the others counts from now on.

    Args:
        feed: The feed.
        connection: A connection in whose transaction they were gated.
        anew: Loads that had been gated before, so that what they took from others then may count again.
    """
    connection.execute(f"create or replace temp table {_MOVED} (_dlt_load_id varchar, _row bigint)")
    some = find_superseded_landings(feed, connection)
    if anew:
        _give_back(feed, connection, anew)
    if some:
        superseded = f"""
            {feed.id} as raw
            where _dlt_load_id in (select load_id from {SUPERSEDED_LANDINGS}) and {in_passed(feed)}
                and {IS_SUPERSEDED} and {is_unmarked(feed)}
        """
        connection.execute(f"insert into {_MOVED} select _dlt_load_id, _row from {superseded}")
        connection.execute(
            f"""
            insert into quality.quarantine
            select {literal(feed.id)}, _dlt_load_id, _row, '{SUPERSEDED}',
                concat('The file ', _file, ' has changed and was landed again.'), to_json(raw), {NOW}
            from {superseded}
            order by _dlt_load_id, _row
            """
        )
    if feed.key and scalar(connection, f"select count(*) from {_MOVED}"):
        _settle_keys(feed, connection)
    connection.execute(
        f"""
        update quality.loads
        set rows_quarantined = counted.total, rows_accepted = rows_landed - counted.total
        from (
            select gated.load_id, count(mark.load_id) as total
            from quality.loads as gated
            left join quality.quarantine as mark on gated.feed = mark.feed and gated.load_id = mark.load_id
            where gated.feed = {literal(feed.id)}
            group by gated.load_id
        ) as counted
        where loads.feed = {literal(feed.id)} and loads.load_id = counted.load_id
            and loads.rows_quarantined != counted.total
        """
    )


def _give_back(feed: Feed, connection: Connection, loads: Sequence[str]) -> None:
    """Lets rows count again whose file has not changed after all, as the load that brought it anew is stopped now."""
    these = ", ".join(map(literal, loads))
    connection.execute(f"insert into {_MOVED} select _dlt_load_id, _row from {feed.id} where _dlt_load_id in ({these})")
    connection.execute(
        f"""
        insert into {_MOVED}
        select raw._dlt_load_id, raw._row from {feed.id} as raw
        inner join quality.quarantine as mark on raw._dlt_load_id = mark.load_id and raw._row = mark.row_number
        where mark.feed = {literal(feed.id)} and mark.rules = '{SUPERSEDED}' and not {IS_SUPERSEDED}
        """
    )
    connection.execute(
        f"""
        delete from quality.quarantine
        where feed = {literal(feed.id)} and rules = '{SUPERSEDED}'
            and (load_id, row_number) in (select _dlt_load_id, _row from {_MOVED})
        """
    )


def _settle_keys(feed: Feed, connection: Connection) -> None:
    """Of the good rows with one key, the first counts: among the keys of the rows that moved."""
    keys, unique = keys_of(feed), literal(key_rule(feed))
    connection.execute(
        f"""
        create or replace temp table catalyst_contest as
        select raw._dlt_load_id, raw._row, mark.load_id is not null as _is_marked,
            row_number() over (partition by {keys_of(feed, "raw")} order by raw._dlt_load_id, raw._row) as _nth
        from {feed.id} as raw
        inner join (
            select distinct {keys} from {feed.id} inner join {_MOVED} using (_dlt_load_id, _row) where {has_key(feed)}
        ) using ({keys})
        left join (select load_id, row_number, rules from quality.quarantine where feed = {literal(feed.id)}) as mark
            on raw._dlt_load_id = mark.load_id and raw._row = mark.row_number
        where {in_passed(feed)} and coalesce(mark.rules, {unique}) = {unique} and not {IS_SUPERSEDED}
        """
    )
    connection.execute(
        f"""
        delete from quality.quarantine
        where feed = {literal(feed.id)} and rules = {unique} and (load_id, row_number) in (
            select _dlt_load_id, _row from catalyst_contest where _nth = 1 and _is_marked
        )
        """
    )
    connection.execute(
        f"""
        insert into quality.quarantine
        select {literal(feed.id)}, raw._dlt_load_id, raw._row, {unique}, {key_reason(feed)}, to_json(raw), {NOW}
        from {feed.id} as raw
        inner join catalyst_contest as lost on raw._dlt_load_id = lost._dlt_load_id and raw._row = lost._row
        where lost._nth > 1 and not lost._is_marked
        order by raw._dlt_load_id, raw._row
        """
    )
