-- never null: first_day, n
with

amounts as (select * from {{ ref("int_recurring_amounts") }}),

rates as (select * from {{ ref("int_currency_rates_dated") }}),

history as (
    select min(valid_from) as first_day
    from amounts
),

moments as (
    select distinct
        {{ month_start(add_days("first_day", "n")) }} as month,
        {{ month_moment(add_days("first_day", "n")) }} as moment
    from history
    cross join {{ numbers(0, days_between("first_day", as_of())) }}
),

checked as (
    select
        valid_from,
        valid_until,
        {{ row_checksum([
            "subscription_id", "customer_id", "segment", "cohort_month", "plan_id", "currency",
            cast_or_null("monthly_amount * 10000", "bigint"),
        ]) }} as checksum
    from amounts
    where valid_from <= {{ as_of() }}
),

boundaries as (
    -- Not a row for each month of a stretch: an amount comes in at the first moment from its first day on and leaves at
    -- the first one from the day on which it no longer holds; both lie in the month of that day.
    select
        {{ month_start("valid_from") }} as month,
        checksum
    from checked

    union all

    select
        {{ month_start("valid_until") }} as month,
        -checksum as checksum
    from checked
    where valid_until <= {{ as_of() }}
),

changes as (
    select
        month,
        sum(checksum) as checksum
    from boundaries
    group by month
),

currencies as (
    select distinct currency
    from amounts
),

used_rates as (
    select
        moments.month,
        sum({{ row_checksum([
            "rates.currency",
            cast_or_null("rates.eur_rate * 1000000", "bigint"),
            cast_or_null("constant_rates.eur_rate * 1000000", "bigint"),
        ]) }}) as checksum
    from moments
    cross join currencies
    inner join rates on currencies.currency = rates.currency and moments.moment = rates.valid_on
    left join rates as constant_rates
        on currencies.currency = constant_rates.currency and {{ constant_currency_day() }} = constant_rates.valid_on
    group by moments.month
),

summed as (
    select
        moments.month,
        moments.moment,
        sum(coalesce(changes.checksum, 0)) over (
            order by moments.month asc nulls last
            rows between unbounded preceding and current row
        ) as amounts_checksum,
        coalesce(used_rates.checksum, 0) as rates_checksum
    from moments
    left join changes on moments.month = changes.month
    left join used_rates on moments.month = used_rates.month
)

select
    month,
    moment,
    {{ cast_or_null("amounts_checksum + rates_checksum", "bigint") }} as month_checksum
from summed
