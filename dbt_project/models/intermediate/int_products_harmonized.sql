with

erp_products as (select * from {{ ref("stg_erp__products") }}),

web_orders as (select * from {{ ref("stg_web__orders") }}),

aliases as (select * from {{ ref("category_aliases") }}),

rates as (select * from {{ ref("int_currency_rates_dated") }}),

latest_products as (
    select
        erp_products.*,
        row_number() over (partition by product_id order by exported_on desc nulls last) as version_rank
    from erp_products
),

priced_products as (
    select
        products.product_id,
        products.product_name,
        products.introduced_on,
        products.raw_category,
        {{ cast_or_null("products.list_price * rates.eur_rate", "numeric(18,4)") }} as list_price_eur,
        {{ cast_or_null("products.unit_cost * rates.eur_rate", "numeric(18,4)") }} as unit_cost_eur
    from latest_products as products
    left join rates on products.currency = rates.currency and products.exported_on = rates.valid_on
    where products.version_rank = 1
),

web_categories as (
    select
        web_orders.product_id,
        aliases.category,
        min(web_orders.raw_category) as raw_category,
        row_number() over (
            partition by web_orders.product_id
            order by count(*) desc nulls last, aliases.category asc nulls last
        ) as category_rank
    from web_orders
    inner join aliases on {{ category_key("web_orders.raw_category") }} = aliases.alias
    group by web_orders.product_id, aliases.category
),

web_products as (
    select * from web_categories
    where category_rank = 1
),

harmonized as (
    -- The catalogue's category counts; where it has none that we know, what the web shop says most often.
    select
        coalesce(products.product_id, web_products.product_id) as product_id,
        coalesce(products.product_name, products.product_id, web_products.product_id) as product_name,
        coalesce(aliases.category, web_products.category, 'Other') as category,
        products.list_price_eur,
        products.unit_cost_eur,
        products.introduced_on,
        coalesce(products.raw_category, web_products.raw_category) as raw_category
    from priced_products as products
    left join aliases on {{ category_key("products.raw_category") }} = aliases.alias
    full outer join web_products on products.product_id = web_products.product_id
)

select * from harmonized
