{#- A row as a number of 36 bits, for sums that change where one of the rows does. Nine hexadecimal digits of a hash: the
    sum of 100 million of them still is a bigint. Engines write decimals and times as other texts: only of text, dates and
    whole numbers it is the same number on both. -#}
{% macro row_checksum(columns) -%}
    {%- set texts = [] -%}
    {%- for column in columns -%}
        {%- do texts.append("coalesce(" ~ catalyst.cast_or_null(column, "text") ~ ", '')") -%}
    {%- endfor -%}
    {%- set row_text = "concat(" ~ texts | join(", '|', ") ~ ")" -%}
    {{ catalyst.cast_or_null("concat('0x', substr(" ~ catalyst.text_hash(row_text) ~ ", 1, 9))", "hexadecimal") }}
{%- endmacro %}

{% macro text_hash(text) -%}
    {{ dbt.hash(text) }}
{%- endmacro %}
