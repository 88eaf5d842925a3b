{#- The policies that decide what recurring revenue is, as text: a figure that changes because one of them was changed is
    told from one that changes because of the data. -#}
{% macro mrr_policies() -%}
    {%- set names = [
        "mrr_past_due_grace_days", "mrr_churn_recognized", "mrr_discounts", "mrr_paused", "reporting_time_zone"
    ] -%}
    {%- set policies = [] -%}
    {%- for name in names -%}
        {%- do policies.append(name ~ "=" ~ (var(name) if var(name) is not none else "none")) -%}
    {%- endfor -%}
    '{{ policies | join(", ") }}'
{%- endmacro %}
