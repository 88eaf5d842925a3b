{#- What the ledger of closed months holds so far: nothing before it is first written, so that one query serves both. -#}
{% macro mrr_recorded(revenue) -%}
    {%- if is_incremental() -%}
        select * from {{ this }}
    {%- else -%}
        select
            month,
            customer_id,
            currency,
            1 as version,
            amount,
            amount_eur,
            amount as previous_amount,
            amount_eur as previous_amount_eur,
            {{ catalyst.as_of() }} as recorded_as_of,
            {{ catalyst.mrr_policies() }} as policies,
            {{ catalyst.cast_or_null("0", "bigint") }} as month_checksum
        from {{ revenue }}
        where false
    {%- endif -%}
{%- endmacro %}
