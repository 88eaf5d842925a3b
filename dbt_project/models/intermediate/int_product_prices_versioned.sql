with

erp_products as (select * from {{ ref("stg_erp__products") }}),

rates as (select * from {{ ref("int_currency_rates_dated") }}),

versioned as (
    select
        products.product_id,
        {{ cast_or_null("products.list_price * rates.eur_rate", "numeric(18,4)") }} as list_price_eur,
        products.exported_on as valid_from,
        coalesce(
            lead(products.exported_on) over (
                partition by products.product_id
                order by products.exported_on asc nulls last
            ),
            {{ end_of_time() }}
        ) as valid_until
    from erp_products as products
    left join rates on products.currency = rates.currency and products.exported_on = rates.valid_on
)

select * from versioned
