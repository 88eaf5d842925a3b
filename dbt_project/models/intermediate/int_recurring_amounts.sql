-- never null: valid_from
with

pieces as (select * from {{ ref("int_subscriptions_counted") }}),

segments as (select * from {{ ref("int_customer_segments") }}),

compared as (
    select
        pieces.*,
        lag(valid_until) over (partition by subscription_id order by valid_from asc nulls last) = valid_from
        and lag(customer_id) over (partition by subscription_id order by valid_from asc nulls last) = customer_id
        and lag(plan_id) over (partition by subscription_id order by valid_from asc nulls last) = plan_id
        and lag(currency) over (partition by subscription_id order by valid_from asc nulls last) = currency
        and lag(monthly_amount) over (partition by subscription_id order by valid_from asc nulls last) = monthly_amount
            as is_continued
    from pieces
),

numbered as (
    select
        compared.*,
        sum(case when is_continued then 0 else 1 end) over (
            partition by subscription_id order by valid_from asc nulls last
            rows between unbounded preceding and current row
        ) as stretch
    from compared
),

stretches as (
    select
        subscription_id,
        customer_id,
        plan_id,
        currency,
        monthly_amount,
        min(valid_from) as valid_from,
        max(valid_until) as valid_until
    from numbered
    group by subscription_id, stretch, customer_id, plan_id, currency, monthly_amount
),

cohorts as (
    -- The first moment that a stretch can count at is that of the month it begins in; see `int_mrr_months`.
    select
        customer_id,
        min({{ month_start("valid_from") }}) as cohort_month
    from stretches
    where valid_from <= {{ as_of() }} and valid_until > {{ month_moment("valid_from") }}
    group by customer_id
)

select
    stretches.subscription_id,
    stretches.customer_id,
    coalesce(segments.segment, 'Unknown') as segment,
    cohorts.cohort_month,
    stretches.plan_id,
    stretches.currency,
    stretches.monthly_amount,
    stretches.valid_from,
    stretches.valid_until
from stretches
left join segments on stretches.customer_id = segments.customer_id
left join cohorts on stretches.customer_id = cohorts.customer_id
