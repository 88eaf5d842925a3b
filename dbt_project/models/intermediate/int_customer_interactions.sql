-- never null: recorded_at, registered_at
with

interactions as (select * from {{ ref("stg_crm__interactions") }}),

customer_ids as (select * from {{ ref("int_customer_ids") }}),

pos_customers as (select * from {{ ref("stg_pos__customers") }}),

registered as (
    select
        coalesce(customer_ids.customer_id, pos_customers.customer_id) as customer_id,
        min(pos_customers.updated_at) as registered_at
    from pos_customers
    left join customer_ids
        on pos_customers.customer_id = customer_ids.source_customer_id and customer_ids.is_register
    group by coalesce(customer_ids.customer_id, pos_customers.customer_id)
),

assigned as (
    select
        interactions.interaction_id,
        customer_ids.customer_id,
        interactions.kind,
        interactions.channel,
        interactions.topic,
        interactions.interaction_at,
        interactions.recorded_at,
        -- Of a stranger nobody could know that they would become a customer.
        greatest(interactions.recorded_at, registered.registered_at) as known_at
    from interactions
    inner join customer_ids
        on interactions.contact_id = customer_ids.source_customer_id and customer_ids.source_name = 'crm'
    inner join registered on customer_ids.customer_id = registered.customer_id
)

select * from assigned
