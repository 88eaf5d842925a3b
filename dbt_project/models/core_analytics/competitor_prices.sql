with

observations as (select * from {{ ref("int_competitor_prices_harmonized") }}),

list_prices as (select * from {{ ref("int_product_prices_versioned") }}),

compared as (
    select
        observations.product_id,
        observations.competitor,
        observations.observed_on,
        observations.base_unit,
        observations.unit_price_eur,
        list_prices.list_price_eur,
        -- Our list prices are for a piece: a price for a kilogram says nothing beside them.
        case
            when observations.base_unit = 'piece'
                then {{ safe_divide("observations.unit_price_eur", "list_prices.list_price_eur") }}
        end as price_index,
        observations.url
    from observations
    left join list_prices
        on
            observations.product_id = list_prices.product_id
            and {{ is_valid_on("observations.observed_on", "list_prices.valid_from", "list_prices.valid_until") }}
)

select * from compared
