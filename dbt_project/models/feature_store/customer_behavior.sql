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
        max(case when app_sessions > 0 then days_ago end) as days_since_first_login,
        max(case when web_sessions > 0 then days_ago end) as days_since_first_web_session,
        max(case when support_contacts > 0 then days_ago end) as days_since_first_support_contact,
        {{ cast_or_null("sum(case when days_ago < 30 then app_sessions else 0 end)", "bigint") }} as app_sessions_30d,
        {{ cast_or_null("sum(case when days_ago < 90 then app_sessions else 0 end)", "bigint") }} as app_sessions_90d,
        {{ cast_or_null("sum(case when days_ago < 30 then app_seconds else 0 end)", "double") }} as app_seconds_30d,
        {{ cast_or_null("sum(case when days_ago < 30 then login_days else 0 end)", "bigint") }} as login_days_30d,
        min(case when app_sessions > 0 and days_ago < 90 then days_ago end) as days_since_login,
        {{ cast_or_null("sum(case when days_ago < 30 then web_sessions else 0 end)", "bigint") }} as web_sessions_30d,
        {{ cast_or_null("sum(case when days_ago < 90 then payment_failures else 0 end)", "bigint") }}
            as payment_failures_90d,
        {{ cast_or_null("sum(case when days_ago < 90 then support_contacts else 0 end)", "bigint") }}
            as support_contacts_90d
    from known
    group by customer_id, feature_date
),

reaching as (
    -- How far back the feeds reach, as the day knew: of a window that begins before, nobody knows all.
    select
        summed.*,
        max(days_since_first_login) over (partition by feature_date) as app_days,
        max(days_since_first_web_session) over (partition by feature_date) as web_days,
        max(days_since_first_support_contact) over (partition by feature_date) as support_days
    from summed
)

select
    reaching.customer_id,
    reaching.feature_date,
    dates.event_at,
    dates.known_at,
    dates.label_date,
    reaching.tenure_days,
    reaching.orders_30d,
    reaching.orders_90d,
    reaching.orders_365d,
    reaching.spent_30d_eur,
    reaching.spent_365d_eur,
    reaching.days_since_order,
    {{ safe_divide("reaching.days_since_first_order - reaching.days_since_order", "reaching.order_days - 1") }}
        as days_between_orders,
    case when reaching.app_days >= 29 then reaching.app_sessions_30d end as app_sessions_30d,
    case when reaching.app_days >= 89 then reaching.app_sessions_90d end as app_sessions_90d,
    case
        when reaching.app_days >= 29
            then {{ safe_divide("reaching.app_seconds_30d", "reaching.app_sessions_30d") }}
    end as app_session_seconds_30d,
    case when reaching.app_days >= 29 then reaching.login_days_30d / 30 end as login_frequency_30d,
    case when reaching.app_days >= 89 then reaching.days_since_login end as days_since_login,
    case when reaching.web_days >= 29 then reaching.web_sessions_30d end as web_sessions_30d,
    reaching.payment_failures_90d,
    case when reaching.support_days >= 89 then reaching.support_contacts_90d end as support_contacts_90d
from reaching
inner join dates on reaching.feature_date = dates.feature_date
