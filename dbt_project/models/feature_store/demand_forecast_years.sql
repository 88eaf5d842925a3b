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

spread as (
    -- Each selling day counts for the seven target dates whose week around 364 days earlier holds it.
    select
        store_id,
        product_id,
        {{ add_days("sold_date", "n") }} as target_date,
        units
    from daily_units
    cross join {{ numbers(361, 367) }}
),

summed as (
    select
        spread.store_id,
        spread.product_id,
        spread.target_date,
        {{ cast_or_null("sum(spread.units)", "bigint") }} as units_year_ago
    from spread
    inner join target_dates on spread.target_date = target_dates.target_date
    group by spread.store_id, spread.product_id, spread.target_date
)

select * from summed
