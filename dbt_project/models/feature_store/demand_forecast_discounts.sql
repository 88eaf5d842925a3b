with

targets as (
    select distinct
        origin_date,
        target_date
    from {{ ref("demand_forecast_targets") }}
),

products as (select * from {{ ref("products") }}),

promotions as (select * from {{ ref("int_promotions_harmonized") }}),

promoted as (
    -- A promotion without a product is for its whole category; one with an unknown category is for none.
    select
        products.product_id,
        promotions.published_on,
        promotions.starts_on,
        promotions.ends_on,
        promotions.discount_rate
    from promotions
    inner join products
        on
            promotions.product_id = products.product_id
            or (
                promotions.product_id is null
                and promotions.category = products.category
                and promotions.category != 'Other'
            )
),

discounts as (
    select
        targets.origin_date,
        targets.target_date,
        promoted.product_id,
        max(promoted.discount_rate) as discount_rate
    from targets
    inner join promoted
        on
            targets.origin_date >= promoted.published_on
            and targets.target_date >= promoted.starts_on
            and targets.target_date <= promoted.ends_on
    group by targets.origin_date, targets.target_date, promoted.product_id
)

select * from discounts
