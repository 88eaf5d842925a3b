with

origins as (
    select distinct origin_date
    from {{ ref("demand_forecast_targets") }}
),

daily_units as (select * from {{ ref("demand_forecast_daily_units") }}),

days as (
    select distinct
        sold_date,
        recorded_date
    from daily_units
),

spans as (
    -- From the first origin whose evening knew the day to the last that has it among its 364, if any.
    select
        days.sold_date,
        days.recorded_date,
        min(origins.origin_date) as first_origin_date,
        max(case when {{ days_between("days.sold_date", "origins.origin_date") }} < 364 then origins.origin_date end)
            as last_origin_date
    from days
    inner join origins
        on {{ point_in_time("origins.origin_date", "days.sold_date", "days.recorded_date") }}
    group by days.sold_date, days.recorded_date
),

blocks as (
    -- Days of the same origins are summed up once, not for each origin again: a series has hundreds of days.
    select
        daily_units.store_id,
        daily_units.product_id,
        daily_units.category,
        spans.first_origin_date,
        spans.last_origin_date,
        min(min(daily_units.sold_date)) over (
            partition by daily_units.store_id, daily_units.product_id
            order by spans.first_origin_date asc nulls last
        ) as first_sold_date,
        max(daily_units.sold_date) as last_sold_date,
        sum(daily_units.units) as units
    from daily_units
    inner join spans
        on daily_units.sold_date = spans.sold_date and daily_units.recorded_date = spans.recorded_date
    group by
        daily_units.store_id,
        daily_units.product_id,
        daily_units.category,
        spans.first_origin_date,
        spans.last_origin_date
),

summed as (
    select
        origins.origin_date,
        blocks.store_id,
        blocks.product_id,
        blocks.category,
        {{ days_between("min(blocks.first_sold_date)", "origins.origin_date") }} + 1 as days_known,
        {{ days_between("max(blocks.last_sold_date)", "origins.origin_date") }} as days_since_sale,
        {{ cast_or_null("sum(blocks.units)", "bigint") }} as units_364
    from origins
    inner join blocks
        on origins.origin_date >= blocks.first_origin_date and origins.origin_date <= blocks.last_origin_date
    group by origins.origin_date, blocks.store_id, blocks.product_id, blocks.category
),

product_ranks as (
    select
        origin_date,
        product_id,
        row_number() over (
            partition by origin_date
            order by sum(units_364) desc nulls last, product_id asc nulls last
        ) as product_rank
    from summed
    group by origin_date, product_id
),

chosen as (
    select summed.*
    from summed
    inner join product_ranks
        on summed.origin_date = product_ranks.origin_date and summed.product_id = product_ranks.product_id
    where product_ranks.product_rank <= {{ var("forecast_top_products") }}
)

select * from chosen
