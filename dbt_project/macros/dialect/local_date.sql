{#- The date that a timestamp in UTC falls on in a time zone, by its IANA name. -#}
{% macro local_date(timestamp, zone) -%}
    {{ return(adapter.dispatch("local_date", "catalyst")(timestamp, zone)) }}
{%- endmacro %}

{#- Without its ICU extension, which is a download, this engine knows no time zone: the zone's changes of offset from 1990 to
    2037, after which Python's own list ends, become a case, the latest first. They are searched for at noon of every tenth
    day, and then by halves, as the list itself is private. -#}
{% macro duckdb__local_date(timestamp, zone) -%}
    {%- if zone == "UTC" -%}
        cast({{ timestamp }} as date)
    {%- else -%}
        {%- if zone not in modules.pytz.all_timezones -%}
            {{ exceptions.raise_compiler_error(
                "The time zone '" ~ zone ~ "' is unknown: set the var reporting_time_zone to an IANA name such as Europe/Berlin."
            ) }}
        {%- endif -%}
        {%- set local = modules.pytz.timezone(zone) -%}
        {%- set utc = modules.pytz.utc -%}
        {%- set start = modules.datetime.datetime(1990, 1, 1, 12, tzinfo=utc) -%}
        {%- set day = modules.datetime.timedelta(days=1) -%}
        {%- set found = namespace(changes=[], offset=start.astimezone(local).utcoffset()) -%}
        {%- set first_offset = found.offset -%}
        {%- for step in range(1, 1754) -%}
            {%- set until = start + 10 * step * day -%}
            {%- set offset = until.astimezone(local).utcoffset() -%}
            {%- if offset != found.offset -%}
                {%- set search = namespace(before=until - 10 * day, after=until) -%}
                {%- for halving in range(20) -%}
                    {%- set middle = search.before + (search.after - search.before) / 2 -%}
                    {%- if middle.astimezone(local).utcoffset() == found.offset -%}
                        {%- set search.before = middle -%}
                    {%- else -%}
                        {%- set search.after = middle -%}
                    {%- endif -%}
                {%- endfor -%}
                {#- By halves within a second; zones change on a full second, which is the first not after `after`. -#}
                {%- do found.changes.append((search.after.replace(microsecond=0), offset)) -%}
                {%- set found.offset = offset -%}
            {%- endif -%}
        {%- endfor -%}
        cast({{ timestamp }} + to_seconds(
            {%- if found.changes %}
            case
                {%- for at, offset in found.changes | reverse %}
                when {{ timestamp }} >= timestamp '{{ at.strftime("%Y-%m-%d %H:%M:%S") }}' then {{ offset.total_seconds() | int }}
                {%- endfor %}
                else {{ first_offset.total_seconds() | int }}
            end
            {%- else -%}
            {{ first_offset.total_seconds() | int }}
            {%- endif %}
        ) as date)
    {%- endif -%}
{%- endmacro %}

{% macro bigquery__local_date(timestamp, zone) -%}
    date({{ timestamp }}, '{{ zone }}')
{%- endmacro %}
