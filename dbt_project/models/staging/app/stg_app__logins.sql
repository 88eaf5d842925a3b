with

source as (
    {{ accepted_rows("raw_app", "logins") }}
),

renamed as (
    select
        -- ids
        {{ identifier("login_id") }} as login_id,
        {{ identifier("customer_id") }} as customer_id,

        -- strings
        {{ cast_or_null("platform", "text") }} as platform,
        {{ text_or_null("app_version") }} as app_version,

        -- numerics
        {{ cast_or_null("session_seconds", "bigint") }} as session_seconds,

        -- timestamps
        {{ cast_or_null("logged_in_at", "timestamp") }} as logged_in_at,
        {{ cast_or_null("recorded_at", "timestamp") }} as recorded_at,

        -- landing
        landed_on

    from source
)

select * from renamed
where {{ known_by_as_of("recorded_at", "landed_on") }}
