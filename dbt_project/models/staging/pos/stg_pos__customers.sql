with

source as (
    {{ accepted_rows("raw_pos", "customers") }}
),

renamed as (
    select
        -- ids
        {{ identifier("customer_id") }} as customer_id,

        -- strings
        {{ text_or_null("full_name") }} as full_name,
        {{ text_or_null("email") }} as email,
        {{ text_or_null("phone") }} as phone,
        {{ text_or_null("street") }} as street,
        {{ text_or_null("postal_code") }} as postal_code,
        {{ text_or_null("city") }} as city,
        {{ text_or_null("country") }} as country,

        -- numerics
        {{ cast_or_null("birth_year", "bigint") }} as birth_year,

        -- dates
        {{ cast_or_null("birth_date", "date") }} as birth_date,

        -- timestamps
        {{ cast_or_null("signed_up_at", "timestamp") }} as signed_up_at,
        {{ cast_or_null("updated_at", "timestamp") }} as updated_at,

        -- landing
        landed_on

    from source
)

select * from renamed
where {{ known_by_as_of("updated_at", "landed_on") }}
