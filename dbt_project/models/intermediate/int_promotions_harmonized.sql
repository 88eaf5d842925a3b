with

promotions as (select * from {{ ref("stg_marketing__promotions") }}),

aliases as (select * from {{ ref("category_aliases") }}),

harmonized as (
    select
        promotions.promotion_id,
        promotions.promotion_name,
        promotions.product_id,
        coalesce(aliases.category, 'Other') as category,
        promotions.discount_rate,
        promotions.starts_on,
        promotions.ends_on,
        promotions.published_on
    from promotions
    left join aliases on {{ category_key("promotions.raw_category") }} = aliases.alias
)

select * from harmonized
