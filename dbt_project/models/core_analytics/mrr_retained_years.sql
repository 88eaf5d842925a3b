{%- set changed = changed_months("int_mrr_months_compared") -%}
-- never null: opening_eur, closing_eur
with

months as (
    select * from {{ ref("int_mrr_months_compared") }}
    where {{ in_periods("month", changed) }}
),

revenue as (
    select * from {{ ref("monthly_recurring_revenue") }}
    where {{ in_periods("month", with_earlier(changed, months=12)) }}
),

stacked as (
    {{ revenue_since("year_before_month") }}
),

customers as (
    select
        compared_month as month,
        customer_id,
        max(segment) as segment,
        sum(case when is_opening then amount_eur_constant else 0 end) as opening_eur,
        sum(case when is_opening then 0 else amount_eur_constant end) as closing_eur
    from stacked
    group by compared_month, customer_id
),

summed as (
    select
        customers.month,
        customers.segment,
        {{ cast_or_null("sum(customers.opening_eur)", "numeric(18,4)") }} as opening_eur,
        {{ cast_or_null("sum(customers.closing_eur)", "numeric(18,4)") }} as closing_eur,
        -- More than a customer paid a year before is not kept but gained.
        {{ cast_or_null("sum(least(customers.closing_eur, customers.opening_eur))", "numeric(18,4)") }} as kept_eur
    from customers
    where customers.opening_eur > 0
    group by customers.month, customers.segment
)

select * from summed
