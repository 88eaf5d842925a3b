with

resolved as (
    select * from {{ source("identities", "customers") }}
    where is_register and {{ known_by_as_of("as_of_date") }}
),

followed as (
    -- Before anybody looked for a customer's other records, the id was that of the register.
    select
        as_of_date as changed_on,
        customer_id,
        coalesce(
            lag(customer_id) over (partition by record_id order by as_of_date asc nulls last), source_customer_id
        ) as old_customer_id
    from resolved
),

changed as (
    select
        changed_on,
        old_customer_id as customer_id
    from followed
    where old_customer_id != customer_id

    union distinct

    select
        changed_on,
        customer_id
    from followed
    where old_customer_id != customer_id
)

select * from changed
