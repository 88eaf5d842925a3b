{#- The way between two points as the crow flies, all four in degrees: haversine on a globe of 6,371 km; 0 where a point is
    unknown. `radians` is not everywhere; rounding may push the root above 1, where asin has no value. -#}
{% macro kilometres_between(latitude, longitude, other_latitude, other_longitude) -%}
    {%- set degree = "(acos(-1) / 180)" -%}
    12742 * asin(least(1.0, coalesce(sqrt(
        power(sin(({{ other_latitude }} - {{ latitude }}) * {{ degree }} / 2), 2)
        + cos({{ latitude }} * {{ degree }}) * cos({{ other_latitude }} * {{ degree }})
        * power(sin(({{ other_longitude }} - {{ longitude }}) * {{ degree }} / 2), 2)
    ), 0.0)))
{%- endmacro %}
