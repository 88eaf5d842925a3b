with

series as (
    select distinct
        store_id,
        product_id
    from {{ ref("demand_forecast_daily_units") }}
),

counted as (
    select
        count(*) as series_count,
        count(distinct product_id) as product_count
    from series
),

divided as (
    -- Twenty origins teach a third of their horizons each.
    select
        greatest(1, coalesce({{ cast_or_null("ceil(" ~ safe_divide(
            "20 * " ~ var("forecast_horizon_days") ~ " * series_count * case when product_count > "
            ~ var("forecast_top_products") ~ " then " ~ var("forecast_top_products") ~ " else product_count end",
            "3 * product_count * " ~ var("forecast_training_rows")
        ) ~ ")", "bigint") }}, 1)) as part_count
    from counted
),

numbered as (
    select
        series.store_id,
        series.product_id,
        row_number() over (order by series.store_id asc nulls last, series.product_id asc nulls last) as series_number,
        divided.part_count
    from series
    cross join divided
),

parts as (
    select
        store_id,
        product_id,
        mod(series_number, part_count) as series_part,
        part_count
    from numbered
)

select * from parts
