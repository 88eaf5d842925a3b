with

versions as (select * from {{ ref("int_product_prices_versioned") }}),

erp_products as (select * from {{ ref("stg_erp__products") }}),

rates as (select * from {{ ref("int_currency_rates_dated") }}),

costed as (
    select
        versions.product_id,
        {{ cast_or_null("products.unit_cost * rates.eur_rate", "numeric(18,4)") }} as unit_cost_eur,
        versions.valid_from,
        versions.valid_until
    from versions
    inner join erp_products as products
        on versions.product_id = products.product_id and versions.valid_from = products.exported_on
    left join rates on products.currency = rates.currency and products.exported_on = rates.valid_on
)

select * from costed
