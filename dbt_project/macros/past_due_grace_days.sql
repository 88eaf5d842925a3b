{% macro past_due_grace_days() -%}
    {{ "null" if var("mrr_past_due_grace_days") is none else var("mrr_past_due_grace_days") }}
{%- endmacro %}
