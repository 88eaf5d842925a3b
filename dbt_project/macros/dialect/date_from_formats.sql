{#- Text as a date by the first of the formats that it fits, or null. A format is made of %d (day), %m (month), %b (month's
    short English name), %y (two digits) and %Y (four digits), which mean the same to both engines. Put %y before %Y, which
    would read 06 as the year 6, and never two formats that read one text as different days. -#}
{% macro date_from_formats(text, formats) -%}
    {{ return(adapter.dispatch("date_from_formats", "catalyst")(text, formats)) }}
{%- endmacro %}

{% macro duckdb__date_from_formats(text, formats) -%}
    cast(try_strptime(trim({{ text }}), ['{{ formats | join("', '") }}']) as date)
{%- endmacro %}

{% macro bigquery__date_from_formats(text, formats) -%}
    coalesce(
        {%- for format in formats %}
        safe.parse_date('{{ format }}', trim({{ text }})){{ "," if not loop.last }}
        {%- endfor %}
    )
{%- endmacro %}
