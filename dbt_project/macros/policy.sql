{#- The value of a var that is one of a few words; a misspelled one must not pass for the default. -#}
{% macro policy(name, value, choices) -%}
    {%- if value not in choices -%}
        {{ catalyst.refuse_policy(name, value, choices) }}
    {%- endif -%}
    '{{ value }}'
{%- endmacro %}

{% macro refuse_policy(name, value, choices) -%}
    {{ exceptions.raise_compiler_error(
        "The var " ~ name ~ " is '" ~ value ~ "': set it to one of " ~ choices | join(", ") ~ " in dbt_project.yml or with --vars."
    ) }}
{%- endmacro %}
