with

source as (
    {{ accepted_rows("raw_crm", "contacts") }}
),

renamed as (
    select
        -- ids
        {{ identifier("contact_id") }} as contact_id,

        -- strings
        {{ text_or_null("given_name") }} as given_name,
        {{ text_or_null("family_name") }} as family_name,
        {{ text_or_null("email") }} as email,
        {{ text_or_null("phone") }} as phone,
        {{ text_or_null("street") }} as street,
        {{ text_or_null("postal_code") }} as postal_code,
        {{ text_or_null("city") }} as city,
        {{ text_or_null("country") }} as country,
        -- The column has the name of the relation, and an engine may take the one for the other.
        {{ cast_or_null("source.source", "text") }} as contact_source,

        -- dates
        {{ cast_or_null("birth_date", "date") }} as birth_date,

        -- timestamps
        {{ cast_or_null("created_at", "timestamp") }} as created_at,
        {{ cast_or_null("updated_at", "timestamp") }} as updated_at,

        -- landing
        landed_on

    from source
)

select * from renamed
where {{ known_by_as_of("updated_at", "landed_on") }}
