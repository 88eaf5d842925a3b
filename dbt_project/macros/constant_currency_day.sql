{#- The day whose rates `amount_eur_constant` is worked with, as far as rates are known. -#}
{% macro constant_currency_day() -%}
    {{ catalyst.rate_day("cast('" ~ var("constant_currency_date") ~ "' as date)") }}
{%- endmacro %}
