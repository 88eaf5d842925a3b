-- Sale lines, sales and daily sales count the same units and the same money, goods only.
with

united as (
    select coalesce(sum(quantity), 0) as units
    from {{ ref("int_sale_lines_united") }}
    where line_type = 'product'
),

sales as (
    select
        coalesce(sum(units_sold - units_returned), 0) as units,
        coalesce(sum(gross_amount_eur), 0) as amount_eur
    from {{ ref("sales") }}
    where line_type = 'product'
),

daily as (
    select
        coalesce(sum(units_sold - units_returned), 0) as units,
        coalesce(sum(net_sales_eur), 0) as amount_eur
    from {{ ref("daily_product_sales") }}
)

select
    united.units as united_units,
    sales.units as sales_units,
    daily.units as daily_units,
    sales.amount_eur as sales_amount_eur,
    daily.amount_eur as daily_amount_eur
from united
cross join sales
cross join daily
where united.units != sales.units or sales.units != daily.units or sales.amount_eur != daily.amount_eur
