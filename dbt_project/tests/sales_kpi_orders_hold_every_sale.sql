-- Orders, margins and sales count the same goods, the same money and the same cost, to the cent.
with

sales as (
    select
        coalesce(sum(units_sold), 0) as units_sold,
        coalesce(sum(units_returned), 0) as units_returned,
        coalesce(sum(gross_amount_eur), 0) as net_sales_eur
    from {{ ref("sales") }}
    where line_type = 'product'
),

orders as (
    select
        coalesce(sum(units_sold), 0) as units_sold,
        coalesce(sum(units_returned), 0) as units_returned,
        coalesce(sum(net_sales_eur), 0) as net_sales_eur,
        coalesce(sum(costed_net_sales_eur), 0) as costed_net_sales_eur,
        coalesce(sum(cost_eur), 0) as cost_eur
    from {{ ref("orders") }}
),

margins as (
    select
        coalesce(sum(units_sold), 0) as units_sold,
        coalesce(sum(units_returned), 0) as units_returned,
        coalesce(sum(net_sales_eur), 0) as net_sales_eur,
        coalesce(sum(costed_net_sales_eur), 0) as costed_net_sales_eur,
        coalesce(sum(cost_eur), 0) as cost_eur
    from {{ ref("daily_product_margins") }}
)

select
    sales.net_sales_eur as sales_net_sales_eur,
    orders.net_sales_eur as orders_net_sales_eur,
    margins.net_sales_eur as margins_net_sales_eur,
    orders.cost_eur as orders_cost_eur,
    margins.cost_eur as margins_cost_eur
from sales
cross join orders
cross join margins
where
    sales.units_sold != orders.units_sold
    or sales.units_returned != orders.units_returned
    or sales.net_sales_eur != orders.net_sales_eur
    or orders.units_sold != margins.units_sold
    or orders.units_returned != margins.units_returned
    or orders.net_sales_eur != margins.net_sales_eur
    or orders.costed_net_sales_eur != margins.costed_net_sales_eur
    or orders.cost_eur != margins.cost_eur
