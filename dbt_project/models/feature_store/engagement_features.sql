with

behavior as (select * from {{ ref("customer_behavior") }}),

dates as (select * from {{ ref("feature_dates") }}),

days as (select * from {{ ref("customer_days") }}),

outcomes as (
    select
        dates.feature_date,
        days.customer_id,
        max(days.orders) as most_orders_a_day,
        {{ cast_or_null("sum(days.login_days)", "bigint") }} as login_days
    from dates
    inner join days on dates.feature_date < days.event_date and dates.label_date >= days.event_date
    group by dates.feature_date, days.customer_id
)

select
    behavior.customer_id,
    behavior.feature_date,
    behavior.event_at,
    behavior.known_at,
    behavior.label_date,
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
    case
        when behavior.label_date <= {{ as_of() }} then coalesce(outcomes.most_orders_a_day, 0) > 0
    end as has_bought_30d_ahead,
    case
        when behavior.label_date <= {{ as_of() }} then coalesce(outcomes.login_days, 0)
    end as login_days_30d_ahead
from behavior
left join outcomes
    on behavior.feature_date = outcomes.feature_date and behavior.customer_id = outcomes.customer_id
