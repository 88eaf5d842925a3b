{#- An id as text without outer blanks: one system pads its ids where another does not, and they would not meet in a join.
    Empty text names nothing. -#}
{% macro identifier(column) -%}
    {{ catalyst.text_or_null(column) }}
{%- endmacro %}
