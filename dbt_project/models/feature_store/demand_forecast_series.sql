-- never null: days_known
with

origins as (
    select distinct origin_date
    from {{ ref("demand_forecast_targets") }}
),

daily_units as (select * from {{ ref("demand_forecast_daily_units") }}),

prices as (select * from {{ ref("int_product_prices_versioned") }}),

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
        sum(case when days_ago < 7 then units else 0 end) as units_7,
        sum(case when days_ago < 28 then units else 0 end) as units_28,
        sum(case when days_ago < 56 then units else 0 end) as units_56,
        sum(units) as units_364,
        sum(case when days_ago < 28 then selling_days else 0 end) as selling_days_28,
        sum(case when days_ago < 28 then promotion_units else 0 end) as promotion_units_28,
        sum(case when days_ago < 56 then promotion_units else 0 end) as promotion_units_56,
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

measured as (
    select
        summed.origin_date,
        summed.store_id,
        summed.product_id,
        summed.category,
        summed.days_known,
        summed.days_since_sale,
        {{ safe_divide("summed.units_7", "least(7, summed.days_known)") }} as mean_7,
        {{ safe_divide("summed.units_28", "least(28, summed.days_known)") }} as mean_28,
        {{ safe_divide("summed.units_56", "least(56, summed.days_known)") }} as level,
        {{ safe_divide("summed.units_364", "least(364, summed.days_known)") }} as mean_364,
        {{ safe_divide("summed.selling_days_28", "least(28, summed.days_known)") }} as nonzero_share_28,
        coalesce({{ safe_divide("summed.promotion_units_28", "summed.units_28") }}, 0) as promotion_share_28,
        {{ safe_divide(
            "sum(summed.units_7) over category_of_store"
            ~ " * least(56, max(summed.days_known) over category_of_store)",
            "sum(summed.units_56) over category_of_store"
            ~ " * least(7, max(summed.days_known) over category_of_store)"
        ) }} as category_mean_7,
        {{ safe_divide("summed.amount_eur_56", "summed.units_56") }} as charged_price,
        coalesce(
            {{ cast_or_null("prices.list_price_eur", "double") }},
            {{ safe_divide("summed.regular_amount_eur_56", "summed.units_56 - summed.promotion_units_56") }},
            {{ safe_divide("summed.amount_eur_56", "summed.units_56") }}
        ) as regular_price
    from summed
    inner join product_ranks
        on summed.origin_date = product_ranks.origin_date and summed.product_id = product_ranks.product_id
    left join prices
        on
            summed.product_id = prices.product_id
            and {{ is_valid_on("summed.origin_date", "prices.valid_from", "prices.valid_until") }}
    where product_ranks.product_rank <= {{ var("forecast_top_products") }}
    window category_of_store as (partition by summed.origin_date, summed.store_id, summed.category)
)

select * from measured
