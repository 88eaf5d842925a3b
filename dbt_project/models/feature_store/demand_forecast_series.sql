{%- set columns = [
    "origin_date", "store_id", "product_id", "category", "days_known", "days_since_sale", "mean_7", "mean_28", "level",
    "mean_364", "nonzero_share_28", "promotion_share_28", "category_mean_7", "year_level", "charged_price",
    "regular_price",
] %}
with

sold as (select * from {{ ref("demand_forecast_sold_series") }}),

products as (select * from {{ ref("products") }}),

prices as (select * from {{ ref("int_product_prices_versioned") }}),

first_sales as (
    select
        store_id,
        product_id,
        min(sold_date) as first_sold_date,
        min(recorded_date) as first_recorded_date
    from {{ ref("demand_forecast_daily_units") }}
    group by store_id, product_id
),

first_prices as (
    select
        product_id,
        min(valid_from) as first_listed_date
    from prices
    group by product_id
),

categories as (
    -- What a product of the category sells in the store. Exact numbers: a sum of doubles depends on the rows' order.
    select
        origin_date,
        store_id,
        category,
        {{ safe_divide(cast_or_null("sum(" ~ cast_or_null("level", "numeric(18,6)") ~ ")", "double"), "count(*)") }}
            as level,
        max(category_mean_7) as category_mean_7
    from sold
    group by origin_date, store_id, category
),

new_series as (
    -- In the price list for a month at most, and not yet sold there as far as the origin knows.
    select
        categories.origin_date,
        categories.store_id,
        products.product_id,
        categories.category,
        0 as days_known,
        {{ cast_or_null("null", "bigint") }} as days_since_sale,
        {{ cast_or_null("null", "double") }} as mean_7,
        {{ cast_or_null("null", "double") }} as mean_28,
        categories.level,
        {{ cast_or_null("null", "double") }} as mean_364,
        {{ cast_or_null("null", "double") }} as nonzero_share_28,
        {{ cast_or_null("null", "double") }} as promotion_share_28,
        categories.category_mean_7,
        {{ cast_or_null("null", "double") }} as year_level,
        {{ cast_or_null("null", "double") }} as charged_price,
        {{ cast_or_null("prices.list_price_eur", "double") }} as regular_price
    from categories
    inner join products on categories.category = products.category
    inner join first_prices
        on
            products.product_id = first_prices.product_id
            and categories.origin_date >= first_prices.first_listed_date
            and {{ add_days("categories.origin_date", -31) }} < first_prices.first_listed_date
    inner join prices
        on
            products.product_id = prices.product_id
            and {{ is_valid_on("categories.origin_date", "prices.valid_from", "prices.valid_until") }}
    left join first_sales
        on
            categories.store_id = first_sales.store_id
            and products.product_id = first_sales.product_id
            and categories.origin_date >= first_sales.first_sold_date
            and categories.origin_date >= first_sales.first_recorded_date
    where first_sales.product_id is null
),

united as (
    select {{ columns | join(", ") }} from sold
    union all
    select {{ columns | join(", ") }} from new_series
)

select
    united.*,
    -- What has never sold is in no part yet.
    coalesce(parts.series_part, 0) as series_part
from united
left join {{ ref("demand_forecast_parts") }} as parts
    on united.store_id = parts.store_id and united.product_id = parts.product_id
