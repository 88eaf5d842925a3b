with

origins as (
    -- With the weekdays that are foretold from there, for each part of the series.
    select distinct
        origin_date,
        series_part,
        weekday
    from {{ ref("demand_forecast_targets") }}
),

daily_units as (
    select
        daily_units.*,
        parts.series_part
    from {{ ref("demand_forecast_daily_units") }} as daily_units
    inner join {{ ref("demand_forecast_parts") }} as parts
        on daily_units.store_id = parts.store_id and daily_units.product_id = parts.product_id
),

known as (
    -- What the evening of the origin knew: a sale that was recorded later is not in it.
    select
        daily_units.*,
        origins.origin_date,
        {{ days_between("daily_units.sold_date", "origins.origin_date") }} as days_ago
    from origins
    inner join daily_units
        on
            origins.weekday = daily_units.weekday
            and origins.series_part = daily_units.series_part
            and origins.origin_date >= daily_units.recorded_date
            and origins.origin_date >= daily_units.sold_date
            and {{ add_days("origins.origin_date", -56) }} < daily_units.sold_date
),

summed as (
    -- The last 56 days hold each weekday eight times, the last 7 days once.
    select
        origin_date,
        store_id,
        product_id,
        weekday,
        {{ cast_or_null("sum(units)", "bigint") }} as units_8_weeks,
        {{ cast_or_null("sum(case when days_ago < 7 then units else 0 end)", "bigint") }} as units_last_week
    from known
    group by origin_date, store_id, product_id, weekday
)

select * from summed
