with

subscriptions as (select * from {{ ref("int_subscriptions_normalized") }}),

rates as (select * from {{ ref("int_currency_rates_dated") }}),

history as (
    select min(started_on) as first_day
    from subscriptions
),

months as (
    select distinct {{ month_start(add_days("first_day", "n")) }} as month
    from history
    cross join {{ numbers(0, days_between("first_day", as_of())) }}
),

moments as (
    -- A month counts as it ends; the running month as it stands on the as-of date.
    select
        month,
        least(last_day(month), {{ as_of() }}) as moment
    from months
),

paying as (
    select
        moments.month,
        moments.moment,
        subscriptions.customer_id,
        subscriptions.currency,
        subscriptions.monthly_amount
    from moments
    inner join subscriptions
        on {{ is_valid_on("moments.moment", "subscriptions.known_from", "subscriptions.known_until") }}
    where
        subscriptions.status in ('active', 'past_due')
        and subscriptions.started_on <= moments.moment
        and (subscriptions.ended_on is null or subscriptions.ended_on > moments.moment)
),

summed as (
    select
        month,
        moment,
        customer_id,
        currency,
        {{ cast_or_null("sum(monthly_amount)", "numeric(18,2)") }} as amount,
        count(*) as subscriptions
    from paying
    group by month, moment, customer_id, currency
),

converted as (
    select
        summed.month,
        summed.customer_id,
        summed.currency,
        summed.amount,
        summed.subscriptions,
        {{ cast_or_null("summed.amount * rates.eur_rate", "numeric(18,4)") }} as amount_eur
    from summed
    left join rates on summed.currency = rates.currency and summed.moment = rates.valid_on
)

select * from converted
