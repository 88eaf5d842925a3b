with

target_dates as (
    select distinct target_date
    from {{ ref("demand_forecast_targets") }}
),

daily_units as (
    -- A sale that was recorded this late may be unknown at the origin, so the mean of a year ago never sees it.
    select * from {{ ref("demand_forecast_daily_units") }}
    where {{ days_between("sold_date", "recorded_date") }} < 361 - {{ var("forecast_horizon_days") }}
),

days as (
    -- A selling day counts for the seven target dates whose week around 364 days earlier holds it.
    select
        target_dates.target_date,
        {{ add_days("target_dates.target_date", "-n") }} as sold_date
    from target_dates
    cross join {{ numbers(361, 367) }}
),

summed as (
    select
        daily_units.store_id,
        daily_units.product_id,
        days.target_date,
        {{ cast_or_null("sum(daily_units.units)", "bigint") }} as units_year_ago
    from daily_units
    inner join days on daily_units.sold_date = days.sold_date
    group by daily_units.store_id, daily_units.product_id, days.target_date
)

select * from summed
