{#- The value as another type, or null where it is not one. Types: text, bigint, double, timestamp (UTC), date, boolean,
    numeric(p,s) for exact amounts, and hexadecimal, which is text of digits behind 0x as a bigint. A sum of doubles depends
    on the order of its rows, a sum of numerics does not.

    Text is read by the forms that the gate accepts (orchestration/values.py), all of which no engine's cast reads: 1e3 is a
    bigint, yes a boolean, a date may have a time behind it, and a moment an offset: 2026-06-01T08:12:33+02:00 is 06:12:33. -#}
{% macro cast_or_null(expression, type) -%}
    {{ return(adapter.dispatch("cast_or_null", "catalyst")(expression, type)) }}
{%- endmacro %}

{% macro duckdb__cast_or_null(expression, type) -%}
    {%- if type == "timestamp" -%}
        {#- The cast to timestamp drops an offset; that to timestamptz reads what has none in the session's time zone. -#}
        {%- set text = "trim(cast(" ~ expression ~ " as varchar))" -%}
        case
            when typeof({{ expression }}) = 'VARCHAR' and (contains({{ text }}, '+') or contains(substr({{ text }}, 11), '-'))
                then make_timestamp(epoch_us(try_cast({{ text }} as timestamptz)))
            else try_cast({{ expression }} as timestamp)
        end
    {%- elif type.startswith("numeric(") -%}
        {#- By way of nine decimals, as many as a numeric has on the other engine: a double may round another way by itself. What
            has no more than nine can't, and does without: of each million amounts the way there and back takes 1.7 s. The type
            is known when the statement is bound, so that one of the two is left. -#}
        case
            when regexp_matches(typeof({{ expression }}), '^([A-Z]*INT(EGER)?|DECIMAL[(][0-9]+,[0-9][)])$')
                then try_cast({{ expression }} as {{ type }})
            else try_cast(try_cast({{ expression }} as decimal(38, 9)) as {{ type }})
        end
    {%- else -%}
        try_cast({{ expression }} as {{ {"text": "varchar", "hexadecimal": "bigint"}.get(type, type) }})
    {%- endif -%}
{%- endmacro %}

{% macro bigquery__cast_or_null(expression, type) -%}
    {%- set text = "safe_cast(" ~ expression ~ " as string)" -%}
    {%- if type == "bigint" -%}
        {#- Text with a point or an exponent is a numeric here and no integer. -#}
        safe_cast(safe_cast({{ expression }} as numeric) as int64)
    {%- elif type.startswith("numeric(") -%}
        round(safe_cast({{ expression }} as numeric), {{ type.split(",")[1].rstrip(")") | trim }})
    {%- elif type == "boolean" -%}
        case
            when lower({{ text }}) in ('true', 't', 'yes', 'y', '1') then true
            when lower({{ text }}) in ('false', 'f', 'no', 'n', '0') then false
        end
    {%- elif type == "date" -%}
        safe_cast(regexp_extract({{ text }}, r'^\s*([0-9]+-[0-9]+-[0-9]+)(?:[ T][0-9]+:[0-9:.]+(?: ?UTC|Z|[+-][0-9:]+)?)?\s*$') as date)
    {%- elif type == "timestamp" -%}
        {#- It wants seconds, no more than six digits of them, and a colon in the offset. -#}
        {%- set whole = "regexp_replace(trim(" ~ text ~ "), r'^([0-9-]+[ T][0-9]+:[0-9]+)$', r'\\1:00')" -%}
        {%- set short = "regexp_replace(" ~ whole ~ ", r'([.][0-9]{6})[0-9]+', r'\\1')" -%}
        safe_cast(regexp_replace({{ short }}, r'(:[0-9.]+[+-][0-9]{2})([0-9]{2})$', r'\1:\2') as timestamp)
    {%- else -%}
        safe_cast({{ expression }} as {{ {"text": "string", "double": "float64", "hexadecimal": "int64"}[type] }})
    {%- endif -%}
{%- endmacro %}
