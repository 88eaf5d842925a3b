with

customers as (select * from {{ ref("int_customers_united") }}),

segmented as (
    select
        customer_id,
        coalesce(country, 'Unknown') as segment
    from customers
)

select * from segmented
