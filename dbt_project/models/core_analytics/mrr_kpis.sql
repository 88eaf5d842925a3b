with

sums as (select * from {{ ref("mrr_segment_sums") }}),

based as (
    select
        sums.*,
        opening_mrr_eur + fx_mrr_eur as base_eur,
        contraction_mrr_eur + churn_mrr_eur as lost_eur,
        expansion_mrr_eur
        {{ "+ reactivation_mrr_eur" if var("mrr_reactivation_in_nrr") else "" }} as won_back_eur,
        {{ safe_divide("closing_mrr_eur", "closing_customers") }} as arpa_eur,
        {{ safe_divide("churn_customers", "opening_customers") }} as logo_churn_rate
    from sums
),

rated as (
    select
        month,
        segment,

        -- amounts
        {{ cast_or_null("opening_mrr_eur", "numeric(18,4)") }} as opening_mrr_eur,
        {{ cast_or_null("new_mrr_eur", "numeric(18,4)") }} as new_mrr_eur,
        {{ cast_or_null("expansion_mrr_eur", "numeric(18,4)") }} as expansion_mrr_eur,
        {{ cast_or_null("contraction_mrr_eur", "numeric(18,4)") }} as contraction_mrr_eur,
        {{ cast_or_null("churn_mrr_eur", "numeric(18,4)") }} as churn_mrr_eur,
        {{ cast_or_null("reactivation_mrr_eur", "numeric(18,4)") }} as reactivation_mrr_eur,
        {{ cast_or_null("fx_mrr_eur", "numeric(18,4)") }} as fx_mrr_eur,
        {{ cast_or_null("closing_mrr_eur", "numeric(18,4)") }} as closing_mrr_eur,
        {{ cast_or_null("closing_mrr_eur_constant", "numeric(18,4)") }} as closing_mrr_eur_constant,
        {{ cast_or_null("12 * closing_mrr_eur", "numeric(18,4)") }} as arr_eur,

        -- counts
        {{ cast_or_null("opening_customers", "bigint") }} as opening_customers,
        {{ cast_or_null("new_customers", "bigint") }} as new_customers,
        {{ cast_or_null("churn_customers", "bigint") }} as churned_customers,
        {{ cast_or_null("reactivation_customers", "bigint") }} as reactivated_customers,
        {{ cast_or_null("closing_customers", "bigint") }} as closing_customers,
        {{ cast_or_null("subscriptions", "bigint") }} as subscriptions,

        -- rates
        {{ cast_or_null(safe_divide("base_eur + won_back_eur + lost_eur", "base_eur"), "numeric(18,6)") }} as nrr,
        {{ cast_or_null(safe_divide("base_eur + lost_eur", "base_eur"), "numeric(18,6)") }} as grr,
        {{ cast_or_null("logo_churn_rate", "numeric(18,6)") }} as logo_churn_rate,
        {{ cast_or_null(safe_divide("-lost_eur", "base_eur"), "numeric(18,6)") }} as revenue_churn_rate,
        {{ cast_or_null(
            safe_divide("new_mrr_eur + expansion_mrr_eur + reactivation_mrr_eur", "-lost_eur"), "numeric(18,6)"
        ) }} as quick_ratio,
        {{ cast_or_null("arpa_eur", "numeric(18,4)") }} as arpa_eur,
        {{ cast_or_null(safe_divide("arpa_eur", "logo_churn_rate"), "numeric(18,4)") }} as ltv_eur,
        {{ cast_or_null(safe_divide("year_closing_eur", "year_opening_eur"), "numeric(18,6)") }} as nrr_12_months,
        {{ cast_or_null(safe_divide("year_kept_eur", "year_opening_eur"), "numeric(18,6)") }} as grr_12_months

    from based
)

select * from rated
