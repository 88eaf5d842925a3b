{#- Text without outer blanks; a file without a value gives empty text, which means nothing. -#}
{% macro text_or_null(column) -%}
    nullif(trim({{ catalyst.cast_or_null(column, "text") }}), '')
{%- endmacro %}
