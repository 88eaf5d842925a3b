-- never null: period_start_date, last_start_date
with

invoices as (select * from {{ ref("stg_billing__invoices") }}),

credit_notes as (select * from {{ ref("stg_billing__credit_notes") }}),

currencies as (select * from {{ ref("currencies") }}),

customer_ids as (
    select * from {{ ref("int_customer_ids") }}
    where is_register
),

documents as (
    select
        invoice_id as document_id,
        'invoice' as document_type,
        customer_id,
        currency,
        amount,
        period_start_date,
        period_end_date
    from invoices
    where status = 'paid'

    union all

    select
        credit_note_id as document_id,
        'credit_note' as document_type,
        customer_id,
        currency,
        -amount as amount,
        period_start_date,
        period_end_date
    from credit_notes
),

measured as (
    -- Whole numbers, so that half a cent is exactly half a cent: amount and smallest unit of the currency in 1/10,000.
    select
        documents.*,
        coalesce(customer_ids.customer_id, documents.customer_id) as resolved_customer_id,
        sign(documents.amount) as direction,
        {{ cast_or_null("abs(documents.amount) * 10000", "bigint") }} as total,
        {{ cast_or_null("power(10, 4 - coalesce(currencies.minor_units, 2))", "bigint") }} as smallest_unit,
        -- A service month of three days or fewer is none: who is billed on the 31st pays from 28 February to 30 March.
        {{ add_days("documents.period_end_date", -3) }} as last_start_date
    from documents
    left join currencies on documents.currency = currencies.currency
    left join customer_ids on documents.customer_id = customer_ids.source_customer_id
    where documents.amount != 0
),

counted as (
    -- Service months begin on the day of the month on which the period does, or on the last of a shorter month.
    select
        measured.*,
        greatest(
            12 * (extract(year from last_start_date) - extract(year from period_start_date))
            + extract(month from last_start_date) - extract(month from period_start_date)
            + case
                when
                    extract(day from last_start_date)
                    >= least(extract(day from period_start_date), extract(day from last_day(last_start_date)))
                    then 1
                else 0
            end,
            1
        ) as service_months
    from measured
),

shares as (
    -- What is due up to a service month, rounded, less what was due up to the one before: the shares add up.
    select
        counted.*,
        n as service_month,
        {{ months_later("period_start_date", "n - 1") }} as month,
        case
            when n = service_months then total
            else {{ divide_half_up("total * n", "smallest_unit * service_months") }} * smallest_unit
        end
        - {{ divide_half_up("total * (n - 1)", "smallest_unit * service_months") }} * smallest_unit as due
    from counted
    cross join {{ numbers(1, "service_months") }}
)

select
    document_id,
    document_type,
    resolved_customer_id as customer_id,
    currency,
    month,
    service_month,
    service_months,
    {{ cast_or_null("direction * due / 10000", "numeric(18,4)") }} as amount
from shares
