-- Who has a value is who ordered by `customers`, with the same orders and money, and has one first order.
with

expected as (
    select
        customer_id,
        orders,
        net_sales_eur
    from {{ ref("customers") }}
    where orders > 0
),

first_orders as (
    select
        customer_id,
        count(*) as first_orders
    from {{ ref("orders") }}
    where customer_order_number = 1
    group by customer_id
)

select
    coalesce(expected.customer_id, valued.customer_id) as customer_id,
    expected.orders as expected_orders,
    valued.orders as valued_orders,
    expected.net_sales_eur as expected_net_sales_eur,
    valued.net_sales_eur as valued_net_sales_eur,
    first_orders.first_orders
from expected
full outer join {{ ref("customer_value") }} as valued on expected.customer_id = valued.customer_id
left join first_orders on expected.customer_id = first_orders.customer_id
where not coalesce(
    expected.orders = valued.orders
    and expected.net_sales_eur = valued.net_sales_eur
    and first_orders.first_orders = 1,
    false
)
