with

pos_customers as (select * from {{ ref("stg_pos__customers") }}),

web_orders as (
    select * from {{ ref("stg_web__orders") }}
    where customer_id is not null
),

customer_ids as (
    select * from {{ ref("int_customer_ids") }}
    where is_register
),

latest_profiles as (
    select
        coalesce(customer_ids.customer_id, pos_customers.customer_id) as customer_id,
        pos_customers.full_name,
        pos_customers.email,
        pos_customers.city,
        pos_customers.country,
        pos_customers.birth_year,
        min(pos_customers.signed_up_at) over (
            partition by coalesce(customer_ids.customer_id, pos_customers.customer_id)
        ) as signed_up_at,
        row_number() over (
            partition by coalesce(customer_ids.customer_id, pos_customers.customer_id)
            order by pos_customers.updated_at desc nulls last, pos_customers.customer_id asc nulls last
        ) as version_rank
    from pos_customers
    left join customer_ids on pos_customers.customer_id = customer_ids.source_customer_id
),

profiles as (
    select * from latest_profiles
    where version_rank = 1
),

ranked_orders as (
    select
        coalesce(customer_ids.customer_id, web_orders.customer_id) as customer_id,
        web_orders.shipping_country,
        row_number() over (
            partition by coalesce(customer_ids.customer_id, web_orders.customer_id)
            order by web_orders.ordered_at desc nulls last, web_orders.order_line_id asc nulls last
        ) as recency_rank
    from web_orders
    left join customer_ids on web_orders.customer_id = customer_ids.source_customer_id
),

shoppers as (
    select * from ranked_orders
    where recency_rank = 1
),

united as (
    -- The web shop knows its customers by id and by where it ships to; the rest comes from the tills' register.
    select
        coalesce(profiles.customer_id, shoppers.customer_id) as customer_id,
        profiles.full_name,
        profiles.email,
        profiles.city,
        coalesce(profiles.country, shoppers.shipping_country) as country,
        profiles.birth_year,
        profiles.signed_up_at
    from profiles
    full outer join shoppers on profiles.customer_id = shoppers.customer_id
)

select * from united
