with

logins as (select * from {{ ref("stg_app__logins") }}),

customer_ids as (
    select * from {{ ref("int_customer_ids") }}
    where is_register
),

identified as (
    select
        coalesce(customer_ids.customer_id, logins.customer_id) as customer_id,
        cast(logins.logged_in_at as date) as login_date,
        logins.session_seconds
    from logins
    left join customer_ids on logins.customer_id = customer_ids.source_customer_id
),

daily as (
    select
        customer_id,
        login_date,
        count(*) as logins,
        {{ cast_or_null("sum(session_seconds)", "bigint") }} as session_seconds
    from identified
    group by customer_id, login_date
)

select * from daily
