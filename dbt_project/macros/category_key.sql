{#- The form in which category spellings are compared with the seed `category_aliases`. -#}
{% macro category_key(text) -%}
    lower(trim({{ text }}))
{%- endmacro %}
