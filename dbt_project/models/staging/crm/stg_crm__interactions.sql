with

source as (
    {{ accepted_rows("raw_crm", "interactions") }}
),

renamed as (
    select
        -- ids
        {{ identifier("interaction_id") }} as interaction_id,
        {{ identifier("contact_id") }} as contact_id,

        -- strings
        {{ cast_or_null("kind", "text") }} as kind,
        {{ cast_or_null("channel", "text") }} as channel,
        {{ text_or_null("topic") }} as topic,

        -- timestamps
        {{ cast_or_null("interaction_at", "timestamp") }} as interaction_at,
        {{ cast_or_null("recorded_at", "timestamp") }} as recorded_at,

        -- landing
        landed_on

    from source
)

select * from renamed
where {{ known_by_as_of("recorded_at", "landed_on") }}
