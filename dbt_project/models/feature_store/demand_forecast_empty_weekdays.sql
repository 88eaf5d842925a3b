with

sums as (select * from {{ ref("demand_forecast_sums") }}),

empty_days as (select * from {{ ref("demand_forecast_empty_days") }}),

known as (
    -- A mean divides by the days since the first sale, of which only these can be empty ones.
    select
        sums.origin_date,
        sums.store_id,
        sums.product_id,
        sums.days_known,
        empty_days.weekday,
        {{ days_between("empty_days.empty_date", "sums.origin_date") }} as days_ago
    from sums
    inner join empty_days
        on
            sums.store_id = empty_days.store_id
            and sums.product_id = empty_days.product_id
            and sums.origin_date >= empty_days.empty_date
            and {{ add_days("sums.origin_date", -364) }} < empty_days.empty_date
),

counted as (
    select
        origin_date,
        store_id,
        product_id,
        weekday,
        {{ cast_or_null("sum(case when days_ago < 7 then 1 else 0 end)", "bigint") }} as empty_days_7,
        {{ cast_or_null("sum(case when days_ago < 28 then 1 else 0 end)", "bigint") }} as empty_days_28,
        {{ cast_or_null("sum(case when days_ago < 56 then 1 else 0 end)", "bigint") }} as empty_days_56,
        count(*) as empty_days_364
    from known
    where days_ago < days_known
    group by origin_date, store_id, product_id, weekday
)

select * from counted
