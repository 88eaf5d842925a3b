with

behavior as (select * from {{ ref("customer_behavior") }}),

dates as (select * from {{ ref("feature_dates") }}),

held as (select * from {{ ref("customer_subscriptions") }}),

offers as (
    select
        customer_id,
        cast(interaction_at as date) as interaction_date,
        cast(known_at as date) as known_date
    from {{ ref("int_customer_interactions") }}
    where kind = 'retention_offer'
),

offered as (
    -- An offer of the past is history and may work on; one of the days ahead, `customer_subscriptions` leaves out.
    select
        dates.feature_date,
        offers.customer_id,
        count(*) as offers_90d
    from dates
    inner join offers
        on
            {{ point_in_time("dates.feature_date", "offers.interaction_date", "offers.known_date") }}
            and {{ days_between("offers.interaction_date", "dates.feature_date") }} < 90
    group by dates.feature_date, offers.customer_id
),

subscribers as (
    -- Whoever has ever subscribed, as the day knew: who left has a row that says so, rather than one of last month.
    select
        customer_id,
        min(known_from) as known_on
    from {{ ref("subscription_states") }}
    group by customer_id
)

select
    behavior.customer_id,
    behavior.feature_date as origin_date,
    behavior.label_date as target_date,
    behavior.event_at,
    behavior.known_at,
    -- Only who is subscribed can leave.
    case when held.customer_id is not null then dates.purpose end as purpose,
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
    -- The feed of contacts with support tells of offers, too.
    case when behavior.support_contacts_90d is not null then coalesce(offered.offers_90d, 0) end as offers_90d,
    held.customer_id is not null as is_subscribed,
    coalesce(held.subscriptions, 0) as subscriptions,
    held.subscription_days,
    held.plan_id,
    held.billing_interval,
    held.is_on_trial,
    held.is_past_due,
    held.is_paused,
    held.has_discount,
    held.has_churned_30d_ahead,
    held.is_intervened_30d_ahead
from behavior
inner join dates on behavior.feature_date = dates.feature_date
inner join subscribers
    on behavior.customer_id = subscribers.customer_id and behavior.feature_date >= subscribers.known_on
left join offered on behavior.feature_date = offered.feature_date and behavior.customer_id = offered.customer_id
left join held on behavior.feature_date = held.feature_date and behavior.customer_id = held.customer_id
