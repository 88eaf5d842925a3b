with

dates as (select * from {{ ref("feature_dates") }}),

states as (select * from {{ ref("subscription_states") }}),

interactions as (select * from {{ ref("int_customer_interactions") }}),

kept as (
    select
        dates.feature_date,
        states.customer_id,
        states.plan_id,
        states.billing_interval,
        states.status,
        states.has_discount,
        states.started_on,
        states.is_mistake,
        row_number() over (
            partition by dates.feature_date, states.customer_id
            order by states.started_on asc nulls last, states.subscription_id asc nulls last
        ) as seniority_rank
    from dates
    inner join states on {{ is_valid_on("dates.feature_date", "states.kept_from", "states.kept_until") }}
),

held as (
    -- Of a customer with several subscriptions the oldest one names the plan.
    select
        feature_date,
        customer_id,
        count(*) as subscriptions,
        min(started_on) as started_on,
        max(case when seniority_rank = 1 then plan_id end) as plan_id,
        max(case when seniority_rank = 1 then billing_interval end) as billing_interval,
        max(case when status = 'trialing' then 1 else 0 end) = 1 as is_on_trial,
        max(case when status = 'past_due' then 1 else 0 end) = 1 as is_past_due,
        max(case when status = 'paused' then 1 else 0 end) = 1 as is_paused,
        max(case when has_discount then 1 else 0 end) = 1 as has_discount,
        max(case when is_mistake then 0 else 1 end) = 1 as can_churn
    from kept
    group by feature_date, customer_id
),

stayed as (
    select distinct
        dates.feature_date,
        states.customer_id
    from dates
    inner join states on {{ is_valid_on("dates.label_date", "states.kept_from", "states.kept_until") }}
    where not states.is_mistake
),

offered as (
    select distinct
        dates.feature_date,
        interactions.customer_id
    from dates
    inner join interactions
        on
            dates.feature_date < cast(interactions.interaction_at as date)
            and dates.label_date >= cast(interactions.interaction_at as date)
    where interactions.kind = 'retention_offer'
)

select
    held.feature_date,
    held.customer_id,
    held.subscriptions,
    {{ days_between("held.started_on", "held.feature_date") }} as subscription_days,
    held.plan_id,
    held.billing_interval,
    held.is_on_trial,
    held.is_past_due,
    held.is_paused,
    held.has_discount,
    case
        -- Whoever was asked to stay may have stayed for that: no model must learn what it has brought about itself.
        when dates.label_date <= {{ as_of() }} and held.can_churn and offered.customer_id is null
            then stayed.customer_id is null
    end as has_churned_30d_ahead,
    case
        when dates.label_date <= {{ as_of() }} and held.can_churn then offered.customer_id is not null
    end as is_intervened_30d_ahead
from held
inner join dates on held.feature_date = dates.feature_date
left join stayed on held.feature_date = stayed.feature_date and held.customer_id = stayed.customer_id
left join offered on held.feature_date = offered.feature_date and held.customer_id = offered.customer_id
