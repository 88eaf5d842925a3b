{%- set changed = changed_months("int_mrr_months_compared") -%}
with

months as (
    select * from {{ ref("int_mrr_months_compared") }}
    where {{ in_periods("month", changed) }}
),

revenue as (
    select * from {{ ref("monthly_recurring_revenue") }}
    where {{ in_periods("month", with_earlier(changed, months=1)) }}
),

rates as (select * from {{ ref("int_currency_rates_dated") }}),

stacked as (
    {{ revenue_since("previous_month") }}
),

netted as (
    select
        compared_month as month,
        customer_id,
        currency,
        max(segment) as segment,
        min(cohort_month) as cohort_month,
        max(case when is_opening then amount else 0 end) as opening_amount,
        max(case when is_opening then 0 else amount end) as closing_amount,
        sum(case when is_opening then -amount else amount end) as amount,
        sum(case when is_opening then -amount_eur else amount_eur end) as amount_eur
    from stacked
    group by compared_month, customer_id, currency
),

compared as (
    -- Whether anything is paid in any currency decides whether the customer is new or gone, or one currency is.
    select
        netted.*,
        max(opening_amount) over (partition by month, customer_id) as customer_opening_amount,
        max(closing_amount) over (partition by month, customer_id) as customer_closing_amount
    from netted
),

classified as (
    select
        compared.month,
        compared.customer_id,
        compared.currency,
        compared.segment,
        compared.cohort_month,
        case
            when compared.customer_opening_amount = 0 and compared.month = compared.cohort_month then 'new'
            when compared.customer_opening_amount = 0 then 'reactivation'
            when compared.customer_closing_amount = 0 then 'churn'
            when compared.amount > 0 then 'expansion'
            else 'contraction'
        end as movement,
        {{ cast_or_null("compared.amount", "numeric(18,4)") }} as amount,
        {{ cast_or_null("compared.amount * rates.eur_rate", "numeric(18,4)") }} as amount_eur,
        {{ cast_or_null("compared.amount_eur", "numeric(18,4)") }} as difference_eur
    from compared
    inner join months on compared.month = months.month
    left join rates on compared.currency = rates.currency and months.moment = rates.valid_on
    where compared.amount != 0 or compared.amount_eur != 0
),

moved as (
    select
        month,
        customer_id,
        currency,
        segment,
        cohort_month,
        movement,
        amount,
        amount_eur
    from classified
    where amount != 0

    union all

    -- What the change does not explain: the amount that stayed is worth more or less at the rate of this month.
    select
        month,
        customer_id,
        currency,
        segment,
        cohort_month,
        'fx' as movement,
        {{ cast_or_null("0", "numeric(18,4)") }} as amount,
        difference_eur - amount_eur as amount_eur
    from classified
    where difference_eur != amount_eur
)

select * from moved
