with

dates as (select * from {{ ref("feature_dates") }}),

days as (select * from {{ ref("customer_days") }}),

known as (
    select
        days.*,
        dates.feature_date,
        {{ days_between("days.event_date", "dates.feature_date") }} as days_ago
    from dates
    inner join days on {{ point_in_time("dates.feature_date", "days.event_date", "days.known_date") }}
),

summed as (
    select
        customer_id,
        feature_date,
        max(days_ago) as tenure_days,
        {{ cast_or_null("sum(case when days_ago < 30 then orders else 0 end)", "bigint") }} as orders_30d,
        {{ cast_or_null("sum(case when days_ago < 90 then orders else 0 end)", "bigint") }} as orders_90d,
        {{ cast_or_null("sum(case when days_ago < 365 then orders else 0 end)", "bigint") }} as orders_365d,
        {{ cast_or_null("sum(case when days_ago < 30 then spent_eur else 0 end)", "numeric(18,4)") }} as spent_30d_eur,
        {{ cast_or_null("sum(case when days_ago < 365 then spent_eur else 0 end)", "numeric(18,4)") }}
            as spent_365d_eur,
        min(case when orders > 0 then days_ago end) as days_since_order,
        max(case when orders > 0 then days_ago end) as days_since_first_order,
        sum(order_days) as order_days,
        {{ cast_or_null("sum(case when days_ago < 30 then app_sessions else 0 end)", "bigint") }} as app_sessions_30d,
        {{ cast_or_null("sum(case when days_ago < 90 then app_sessions else 0 end)", "bigint") }} as app_sessions_90d,
        {{ cast_or_null("sum(case when days_ago < 30 then app_seconds else 0 end)", "double") }} as app_seconds_30d,
        {{ cast_or_null("sum(case when days_ago < 30 then login_days else 0 end)", "bigint") }} as login_days_30d,
        min(case when app_sessions > 0 then days_ago end) as days_since_login,
        {{ cast_or_null("sum(case when days_ago < 30 then web_sessions else 0 end)", "bigint") }} as web_sessions_30d,
        {{ cast_or_null("sum(case when days_ago < 90 then payment_failures else 0 end)", "bigint") }}
            as payment_failures_90d,
        {{ cast_or_null("sum(case when days_ago < 90 then support_contacts else 0 end)", "bigint") }}
            as support_contacts_90d
    from known
    group by customer_id, feature_date
)

select
    summed.customer_id,
    summed.feature_date,
    dates.event_at,
    dates.known_at,
    dates.label_date,
    summed.tenure_days,
    summed.orders_30d,
    summed.orders_90d,
    summed.orders_365d,
    summed.spent_30d_eur,
    summed.spent_365d_eur,
    summed.days_since_order,
    {{ safe_divide("summed.days_since_first_order - summed.days_since_order", "summed.order_days - 1") }}
        as days_between_orders,
    summed.app_sessions_30d,
    summed.app_sessions_90d,
    {{ safe_divide("summed.app_seconds_30d", "summed.app_sessions_30d") }} as app_session_seconds_30d,
    summed.login_days_30d / 30 as login_frequency_30d,
    summed.days_since_login,
    summed.web_sessions_30d,
    summed.payment_failures_90d,
    summed.support_contacts_90d
from summed
inner join dates on summed.feature_date = dates.feature_date
