with

behavior as (select * from {{ ref("customer_behavior") }}),

dates as (select * from {{ ref("feature_dates") }}),

days as (select * from {{ ref("customer_days") }}),

outcomes as (
    select
        dates.feature_date,
        days.customer_id,
        {{ cast_or_null("sum(days.login_days)", "bigint") }} as login_days
    from dates
    inner join days on dates.feature_date < days.event_date and dates.label_date >= days.event_date
    group by dates.feature_date, days.customer_id
)

select
    behavior.customer_id,
    behavior.feature_date as origin_date,
    behavior.label_date as target_date,
    behavior.event_at,
    behavior.known_at,
    dates.purpose,
    behavior.tenure_days,
    behavior.orders_30d,
    behavior.orders_90d,
    behavior.orders_365d,
    behavior.spent_30d_eur,
    behavior.spent_365d_eur,
    behavior.days_since_order,
    behavior.days_between_orders,
    behavior.app_sessions_30d,
    behavior.app_sessions_90d,
    behavior.app_session_seconds_30d,
    behavior.login_frequency_30d,
    behavior.days_since_login,
    behavior.web_sessions_30d,
    behavior.payment_failures_90d,
    behavior.support_contacts_90d,
    case
        when behavior.tenure_days < 90 then 'new'
        when behavior.orders_90d > 0 then 'active'
        else 'quiet'
    end as customer_group,
    behavior.login_frequency_30d * 30 as login_days_30d,
    -- Where log-ins do not reach back 30 days, nobody knows what the baseline would be, nor who logged in after it.
    case
        when behavior.label_date <= {{ as_of() }} and behavior.login_frequency_30d is not null
            then coalesce(outcomes.login_days, 0)
    end as login_days_30d_ahead
from behavior
inner join dates on behavior.feature_date = dates.feature_date
left join outcomes
    on behavior.feature_date = outcomes.feature_date and behavior.customer_id = outcomes.customer_id
