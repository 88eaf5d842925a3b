-- never null: source_name, source_customer_id
with

pos_customers as (select * from {{ ref("stg_pos__customers") }}),

contacts as (select * from {{ ref("stg_crm__contacts") }}),

pos_versions as (
    select
        pos_customers.*,
        strpos(full_name, ' ') as first_blank,
        min(updated_at) over (partition by customer_id) as first_updated_at,
        first_value(email) over (partition by customer_id order by updated_at asc nulls last) as former_email,
        first_value(postal_code) over (
            partition by customer_id
            order by updated_at asc nulls last
        ) as former_postal_code,
        row_number() over (partition by customer_id order by updated_at desc nulls last) as version_rank
    from pos_customers
),

contact_versions as (
    select
        contacts.*,
        min(updated_at) over (partition by contact_id) as first_updated_at,
        first_value(email) over (partition by contact_id order by updated_at asc nulls last) as former_email,
        first_value(postal_code) over (
            partition by contact_id
            order by updated_at asc nulls last
        ) as former_postal_code,
        row_number() over (partition by contact_id order by updated_at desc nulls last) as version_rank
    from contacts
),

united as (
    -- The tills know a name as a whole: what stands before the first blank is taken for the given name.
    select
        'pos' as source_name,
        customer_id as source_customer_id,
        true as is_register,
        case when first_blank > 0 then substr(full_name, 1, first_blank - 1) else full_name end as given_name,
        case when first_blank > 0 then substr(full_name, first_blank + 1) end as family_name,
        email,
        former_email,
        phone,
        birth_date,
        birth_year,
        street,
        postal_code,
        former_postal_code,
        city,
        country,
        coalesce(signed_up_at, first_updated_at) as first_known_at
    from pos_versions
    where version_rank = 1

    union all

    select
        'crm' as source_name,
        contact_id as source_customer_id,
        false as is_register,
        given_name,
        family_name,
        email,
        former_email,
        phone,
        birth_date,
        {{ cast_or_null("null", "bigint") }} as birth_year,
        street,
        postal_code,
        former_postal_code,
        city,
        country,
        coalesce(created_at, first_updated_at) as first_known_at
    from contact_versions
    where version_rank = 1
),

identified as (
    select
        concat(source_name, ':', source_customer_id) as record_id,
        united.*
    from united
)

select * from identified
