with

known_products as (select * from {{ ref("int_products_harmonized") }}),

sold_products as (
    select distinct product_id
    from {{ ref("sales") }}
    where line_type = 'product'
),

combined as (
    -- A product may sell before the catalogue lists it; it still belongs to every report.
    select
        coalesce(known_products.product_id, sold_products.product_id) as product_id,
        coalesce(known_products.product_name, sold_products.product_id) as product_name,
        coalesce(known_products.category, 'Other') as category,
        known_products.list_price_eur,
        known_products.unit_cost_eur,
        known_products.introduced_on,
        known_products.raw_category,
        sold_products.product_id is not null as has_sales
    from known_products
    full outer join sold_products on known_products.product_id = sold_products.product_id
)

select * from combined
