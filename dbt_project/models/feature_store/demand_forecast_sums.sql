with

origins as (
    select distinct origin_date
    from {{ ref("demand_forecast_targets") }}
),

daily_units as (select * from {{ ref("demand_forecast_daily_units") }}),

known as (
    -- What the evening of the origin knew: a sale that was recorded later is not in it.
    select
        daily_units.*,
        origins.origin_date,
        {{ days_between("daily_units.sold_date", "origins.origin_date") }} as days_ago
    from origins
    inner join daily_units
        on
            origins.origin_date >= daily_units.recorded_date
            and origins.origin_date >= daily_units.sold_date
            and {{ add_days("origins.origin_date", -364) }} < daily_units.sold_date
),

summed as (
    select
        origin_date,
        store_id,
        product_id,
        category,
        {{ days_between("min(first_sold_date)", "origin_date") }} + 1 as days_known,
        min(days_ago) as days_since_sale,
        {{ cast_or_null("sum(case when days_ago < 7 then units else 0 end)", "bigint") }} as units_7,
        {{ cast_or_null("sum(case when days_ago < 28 then units else 0 end)", "bigint") }} as units_28,
        {{ cast_or_null("sum(case when days_ago < 56 then units else 0 end)", "bigint") }} as units_56,
        {{ cast_or_null("sum(units)", "bigint") }} as units_364,
        {{ cast_or_null("sum(case when days_ago < 28 then selling_days else 0 end)", "bigint") }} as selling_days_28,
        {{ cast_or_null("sum(case when days_ago < 28 then promotion_units else 0 end)", "bigint") }}
            as promotion_units_28,
        {{ cast_or_null("sum(case when days_ago < 56 then promotion_units else 0 end)", "bigint") }}
            as promotion_units_56,
        {{ cast_or_null("sum(case when days_ago < 56 then amount_eur else 0 end)", "double") }} as amount_eur_56,
        {{ cast_or_null("sum(case when days_ago < 56 then regular_amount_eur else 0 end)", "double") }}
            as regular_amount_eur_56
    from known
    group by origin_date, store_id, product_id, category
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
