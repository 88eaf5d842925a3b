with

profiles as (select * from {{ ref("int_customers_united") }}),

sales as (
    select * from {{ ref("sales") }}
    where customer_id is not null
),

subscribers as (
    select distinct customer_id
    from {{ ref("int_subscriptions_normalized") }}
),

purchases as (
    select
        customer_id,
        count(distinct case when units_sold > 0 then order_id end) as orders,
        {{ cast_or_null("sum(units_sold)", "bigint") }} as units_sold,
        {{ cast_or_null("sum(case when line_type = 'product' then gross_amount_eur else 0 end)", "numeric(18,4)") }}
            as net_sales_eur,
        min(case when units_sold > 0 then sold_date end) as first_order_date,
        max(case when units_sold > 0 then sold_date end) as last_order_date
    from sales
    group by customer_id
),

records as (
    select
        customer_id,
        count(*) as record_count,
        string_agg(distinct source_name, ', ' order by source_name asc nulls last) as sources
    from {{ ref("int_customer_ids") }}
    group by customer_id
),

customer_ids as (
    select customer_id from profiles
    union distinct
    select customer_id from purchases
    union distinct
    select customer_id from subscribers
),

combined as (
    select
        customer_ids.customer_id,
        profiles.full_name,
        profiles.email,
        profiles.city,
        profiles.country,
        profiles.birth_year,
        profiles.signed_up_at,
        coalesce(records.record_count, 0) as record_count,
        records.sources,
        subscribers.customer_id is not null as has_subscribed,
        coalesce(purchases.orders, 0) as orders,
        coalesce(purchases.units_sold, 0) as units_sold,
        coalesce(purchases.net_sales_eur, 0) as net_sales_eur,
        purchases.first_order_date,
        purchases.last_order_date
    from customer_ids
    left join records on customer_ids.customer_id = records.customer_id
    left join profiles on customer_ids.customer_id = profiles.customer_id
    left join purchases on customer_ids.customer_id = purchases.customer_id
    left join subscribers on customer_ids.customer_id = subscribers.customer_id
)

select * from combined
