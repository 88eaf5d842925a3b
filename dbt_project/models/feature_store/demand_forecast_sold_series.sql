-- never null: days_known, days_7, days_56
with

sums as (select * from {{ ref("demand_forecast_sums") }}),

prices as (select * from {{ ref("int_product_prices_versioned") }}),

empty_days as (
    select
        origin_date,
        store_id,
        product_id,
        sum(empty_days_7) as empty_days_7,
        sum(empty_days_28) as empty_days_28,
        sum(empty_days_56) as empty_days_56,
        sum(empty_days_364) as empty_days_364
    from {{ ref("demand_forecast_empty_weekdays") }}
    group by origin_date, store_id, product_id
),

stocked as (
    -- The days of each window since the first sale on which there was something to sell.
    select
        sums.*,
        least(7, sums.days_known) - coalesce(empty_days.empty_days_7, 0) as days_7,
        least(28, sums.days_known) - coalesce(empty_days.empty_days_28, 0) as days_28,
        least(56, sums.days_known) - coalesce(empty_days.empty_days_56, 0) as days_56,
        least(364, sums.days_known) - coalesce(empty_days.empty_days_364, 0) as days_364,
        least(7, max(sums.days_known) over category_of_store) as category_days_7,
        least(56, max(sums.days_known) over category_of_store) as category_days_56,
        least(364, max(sums.days_known) over category_of_store) as category_days_364,
        sum(sums.units_7) over category_of_store as category_units_7,
        sum(sums.units_56) over category_of_store as category_units_56,
        sum(sums.units_364) over category_of_store as category_units_364
    from sums
    left join empty_days
        on
            sums.origin_date = empty_days.origin_date
            and sums.store_id = empty_days.store_id
            and sums.product_id = empty_days.product_id
    window category_of_store as (partition by sums.origin_date, sums.store_id, sums.category)
),

measured as (
    -- Where all days of the level are empty ones, the year tells it.
    select
        stocked.origin_date,
        stocked.store_id,
        stocked.product_id,
        stocked.category,
        stocked.days_known,
        stocked.days_since_sale,
        {{ safe_divide("stocked.units_7", "stocked.days_7") }} as mean_7,
        {{ safe_divide("stocked.units_28", "stocked.days_28") }} as mean_28,
        coalesce(
            {{ safe_divide("stocked.units_56", "stocked.days_56") }},
            {{ safe_divide("stocked.units_364", "stocked.days_364") }},
            0
        ) as level,
        {{ safe_divide("stocked.units_364", "stocked.days_364") }} as mean_364,
        {{ safe_divide("stocked.selling_days_28", "stocked.days_28") }} as nonzero_share_28,
        coalesce({{ safe_divide("stocked.promotion_units_28", "stocked.units_28") }}, 0) as promotion_share_28,
        {{ safe_divide(
            "stocked.category_units_7 * stocked.category_days_56", "stocked.category_units_56 * stocked.category_days_7"
        ) }} as category_mean_7,
        -- The mean of the year has little noise, and the category tells what the season makes of it now.
        {{ safe_divide(
            cast_or_null("stocked.units_364", "double") ~ " * stocked.category_units_56 * stocked.category_days_364",
            "stocked.days_364 * stocked.category_units_364 * stocked.category_days_56"
        ) }} as year_level,
        {{ safe_divide("stocked.amount_eur_56", "stocked.units_56") }} as charged_price,
        coalesce(
            {{ cast_or_null("prices.list_price_eur", "double") }},
            {{ safe_divide("stocked.regular_amount_eur_56", "stocked.units_56 - stocked.promotion_units_56") }},
            {{ safe_divide("stocked.amount_eur_56", "stocked.units_56") }}
        ) as regular_price
    from stocked
    left join prices
        on
            stocked.product_id = prices.product_id
            and {{ is_valid_on("stocked.origin_date", "prices.valid_from", "prices.valid_until") }}
)

select * from measured
