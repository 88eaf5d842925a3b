-- depends_on: {{ ref("int_currency_rates_dated") }}
{%- set changed = changed_revenue_days() %}
with

sales as (
    select * from {{ ref("sales") }}
    where
        {{ in_periods("sold_date", changed) }}
        and line_type = 'product'
),

summed as (
    select
        sold_date,
        store_id,
        product_id,
        {{ cast_or_null("sum(units_sold)", "bigint") }} as units_sold,
        {{ cast_or_null("sum(units_returned)", "bigint") }} as units_returned,
        {{ cast_or_null("sum(gross_amount_eur)", "numeric(18,4)") }} as net_sales_eur,
        {{ cast_or_null("sum(case when is_return then -gross_amount_eur else 0 end)", "numeric(18,4)") }}
            as returned_eur,
        count(distinct case when units_sold > 0 then order_id end) as orders
    from sales
    group by sold_date, store_id, product_id
)

select * from summed
