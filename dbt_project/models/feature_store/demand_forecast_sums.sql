with

known_series as (select * from {{ ref("demand_forecast_known_series") }}),

daily_units as (select * from {{ ref("demand_forecast_daily_units") }}),

days as (
    select distinct
        sold_date,
        recorded_date
    from daily_units
),

origins as (select distinct origin_date from known_series),

known_days as (
    -- What the evening of the origin knew of eight weeks: a sale that was recorded later is not in it.
    select
        days.sold_date,
        days.recorded_date,
        origins.origin_date,
        {{ days_between("days.sold_date", "origins.origin_date") }} as days_ago
    from days
    inner join origins
        on
            {{ point_in_time("origins.origin_date", "days.sold_date", "days.recorded_date") }}
            and {{ add_days("origins.origin_date", -56) }} < days.sold_date
),

known as (
    select
        daily_units.*,
        known_days.origin_date,
        known_days.days_ago
    from daily_units
    inner join known_days
        on daily_units.sold_date = known_days.sold_date and daily_units.recorded_date = known_days.recorded_date
),

recent as (
    select
        origin_date,
        store_id,
        product_id,
        {{ cast_or_null("sum(case when days_ago < 7 then units else 0 end)", "bigint") }} as units_7,
        {{ cast_or_null("sum(case when days_ago < 28 then units else 0 end)", "bigint") }} as units_28,
        {{ cast_or_null("sum(units)", "bigint") }} as units_56,
        {{ cast_or_null("sum(case when days_ago < 28 then selling_days else 0 end)", "bigint") }} as selling_days_28,
        {{ cast_or_null("sum(case when days_ago < 28 then promotion_units else 0 end)", "bigint") }}
            as promotion_units_28,
        {{ cast_or_null("sum(promotion_units)", "bigint") }} as promotion_units_56,
        {{ cast_or_null("sum(amount_eur)", "double") }} as amount_eur_56,
        {{ cast_or_null("sum(regular_amount_eur)", "double") }} as regular_amount_eur_56
    from known
    group by origin_date, store_id, product_id
),

summed as (
    select
        known_series.origin_date,
        known_series.store_id,
        known_series.product_id,
        known_series.category,
        known_series.days_known,
        known_series.days_since_sale,
        known_series.units_364,
        coalesce(recent.units_7, 0) as units_7,
        coalesce(recent.units_28, 0) as units_28,
        coalesce(recent.units_56, 0) as units_56,
        coalesce(recent.selling_days_28, 0) as selling_days_28,
        coalesce(recent.promotion_units_28, 0) as promotion_units_28,
        coalesce(recent.promotion_units_56, 0) as promotion_units_56,
        coalesce(recent.amount_eur_56, 0) as amount_eur_56,
        coalesce(recent.regular_amount_eur_56, 0) as regular_amount_eur_56
    from known_series
    left join recent
        on
            known_series.origin_date = recent.origin_date
            and known_series.store_id = recent.store_id
            and known_series.product_id = recent.product_id
)

select * from summed
