{#- ISO 8601 text as a timestamp in UTC: `2026-06-01T08:12:33+02:00` is 06:12:33, text without an offset is UTC already, and
    what cannot be read is null. A plain cast drops the offset on one engine and applies it on the other. -#}
{% macro utc_timestamp(text) -%}
    {{ return(adapter.dispatch("utc_timestamp", "catalyst")(text)) }}
{%- endmacro %}

{#- Text without an offset must not meet timestamptz, which would read it in the session's time zone. -#}
{% macro duckdb__utc_timestamp(text) -%}
    case
        when regexp_matches(cast({{ text }} as varchar), ':[0-9.]+ *[+-]')
            then make_timestamp(epoch_us(try_cast({{ text }} as timestamptz)))
        else try_cast({{ text }} as timestamp)
    end
{%- endmacro %}

{#- This engine wants blanks away and a colon in the offset. -#}
{% macro bigquery__utc_timestamp(text) -%}
    safe_cast(regexp_replace(trim({{ text }}), r'([+-][0-9]{2})([0-9]{2})$', r'\1:\2') as timestamp)
{%- endmacro %}
