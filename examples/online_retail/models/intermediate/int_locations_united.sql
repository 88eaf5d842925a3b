select
    'WEB' as location_id,
    'Web shop' as location_name,
    'web' as kind,
    cast(null as {{ dbt.type_string() }}) as warehouse_id,
    cast(null as {{ dbt.type_string() }}) as city
