with

pos_customers as (select * from {{ ref("stg_pos__customers") }}),

web_orders as (
    select * from {{ ref("stg_web__orders") }}
    where customer_id is not null
),

latest_profiles as (
    select
        pos_customers.*,
        row_number() over (partition by customer_id order by updated_at desc nulls last) as version_rank
    from pos_customers
),

profiles as (
    select * from latest_profiles
    where version_rank = 1
),

ranked_orders as (
    select
        customer_id,
        shipping_country,
        row_number() over (
            partition by customer_id
            order by ordered_at desc nulls last, order_line_id asc nulls last
        ) as recency_rank
    from web_orders
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
