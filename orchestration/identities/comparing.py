"""How customer records are made comparable, compared and paired: columns, levels and blocking rules, as data.

Apart from `matching`, which hands this to Splink, because this is what somebody changes who knows the customers.
"""

from __future__ import annotations

from dataclasses import dataclass

# Shared by more records than this, an e-mail address or a phone number is a shop's or a placeholder: it identifies
# nobody, and comparing all who have it with each other would take for ever.
SHARED_BY_AT_MOST = 20

_WORDS = r"nullif(trim(regexp_replace(lower(strip_accents({})), '[^\p{{L}}\p{{N}}]+', ' ', 'g')), '')"
_CODE = r"nullif(regexp_replace(upper({}), '[^A-Z0-9]', '', 'g'), '')"
_ADDRESS = "case when contains({0}, '@') then lower(trim({0})) end"
_DIGITS = "nullif(regexp_replace({}, '[^0-9]', '', 'g'), '')"

# What a record may tell, and how it is made comparable: DuckDB SQL over the column's text.
COLUMNS = {
    "given_name": _WORDS,
    "family_name": _WORDS,
    "birth_date": _DIGITS,
    "birth_year": _DIGITS,
    "email": _ADDRESS,
    # What a source held first: people move and change their provider, and the other source may not know it yet.
    "former_email": _ADDRESS,
    # The last nine digits: with and without the country's prefix, a number is the same.
    "phone": f"right({_DIGITS}, 9)",
    "national_id": _CODE,
    "street": _WORDS,
    "postal_code": _CODE,
    "former_postal_code": _CODE,
    "city": _WORDS,
}
IDENTIFIERS = ("email", "former_email", "phone", "national_id")

# Columns made of several: the mailbox survives a change of provider, the pair of names an exchange of the two.
DERIVED = {
    "year_of_birth": "coalesce(birth_year, left(birth_date, 4))",
    "mailbox": "split_part(email, '@', 1)",
    "both_names": "least(given_name, family_name) || ' ' || greatest(given_name, family_name)",
}

# Records are compared where all columns of one of these are equal.
BLOCKS = (
    ("email",),
    ("former_email",),
    ("phone",),
    ("national_id",),
    ("mailbox", "year_of_birth"),
    ("both_names", "year_of_birth"),
    ("both_names", "postal_code"),
    ("both_names", "former_postal_code"),
    ("both_names", "city"),
    ("family_name", "birth_date"),
    ("given_name", "birth_date"),
    ("birth_date", "postal_code"),
    ("family_name", "postal_code"),
    ("given_name", "postal_code", "year_of_birth"),
    ("street", "postal_code"),
    ("street", "family_name"),
    ("street", "given_name"),
)

# In pairs that are equal in these, expectation maximization learns how often the rest agrees in true pairs.
TRAINING_BLOCKS = (("national_id",), ("email",), ("phone",), ("birth_date",), ("given_name", "family_name"))

# Pairs that are equal in these are taken for the same person when the share of true pairs is first estimated.
CERTAIN = (("national_id",), ("email",), ("phone", "family_name"), ("given_name", "family_name", "birth_date"))


DIFFERS = "differs"


@dataclass(frozen=True)
class Level:
    """One outcome of a comparison.

    Attributes:
        meaning: What the audit calls it.
        condition: DuckDB SQL over `<column>_l` and `<column>_r`; the first level whose condition holds counts.
        m: Its share among true pairs before training, and where too few records are there to train.
        u: Its share among other pairs, likewise.
        rare: A column whose rare values weigh more than its common ones where they are equal.
    """

    meaning: str
    condition: str
    m: float
    u: float
    rare: str | None = None


@dataclass(frozen=True)
class Comparison:
    """What is compared as one piece of evidence.

    Attributes:
        columns: It takes place where the records have one of them.
        unknown: When it says nothing.
        levels: From the strongest agreement down; whatever is left is `differs`.
        tells_people_apart: Where two such comparisons differ and none agrees, it is another person of the household,
            however much evidence there is: they share an address, a family name, often a phone and a mailbox.
    """

    name: str
    columns: tuple[str, ...]
    unknown: str
    levels: tuple[Level, ...]
    tells_people_apart: bool = False

    @property
    def key(self) -> str:
        """The name, as it occurs in names of columns."""
        return self.name.replace("-", "").replace(" ", "_")


def _either_lacks(column: str) -> str:
    return f"{column}_l is null or {column}_r is null"


_EXCHANGED = "given_name_l = family_name_r and family_name_l = given_name_r"


def _formerly_equal(column: str) -> str:
    then, now = f"former_{column}", column
    return f"{then}_l = {then}_r or {then}_l = {now}_r or {now}_l = {then}_r"


def _similar(column: str, at_least: float) -> str:
    return f"jaro_winkler_similarity({column}_l, {column}_r) >= {at_least}"


def _typed_wrong(column: str, at_most: int) -> str:
    return f"damerau_levenshtein({column}_l, {column}_r) <= {at_most}"


COMPARISONS = (
    Comparison(
        "given name",
        ("given_name",),
        _either_lacks("given_name"),
        (
            Level("equal", "given_name_l = given_name_r", 0.75, 0.005, rare="given_name"),
            Level("exchanged with the family name", _EXCHANGED, 0.01, 0.00001),
            Level("nearly equal", _similar("given_name", 0.92), 0.1, 0.003),
            Level("similar", _similar("given_name", 0.8), 0.05, 0.01),
        ),
        tells_people_apart=True,
    ),
    Comparison(
        "family name",
        ("family_name",),
        # Exchanged names have counted in full as the given name's evidence.
        f"{_either_lacks('family_name')} or ({_EXCHANGED})",
        (
            Level("equal", "family_name_l = family_name_r", 0.8, 0.003, rare="family_name"),
            Level("nearly equal", _similar("family_name", 0.92), 0.1, 0.002),
            Level("similar", _similar("family_name", 0.8), 0.03, 0.01),
        ),
    ),
    Comparison(
        "birth",
        ("birth_date", "birth_year"),
        _either_lacks("year_of_birth"),
        (
            Level("equal", "birth_date_l = birth_date_r", 0.75, 0.0001),
            Level("one slip of the pen apart", _typed_wrong("birth_date", 1), 0.05, 0.0005),
            Level(
                "equal but for day and month",
                "left(birth_date_l, 4) = left(birth_date_r, 4) and right(birth_date_l, 4) = "
                "right(birth_date_r, 2) || substr(birth_date_r, 5, 2)",
                0.02,
                0.0001,
            ),
            Level(
                "equal as far as known",
                "year_of_birth_l = year_of_birth_r and (birth_date_l is null or birth_date_r is null)",
                0.15,
                0.02,
            ),
            Level("two slips of the pen apart", _typed_wrong("birth_date", 2), 0.02, 0.01),
        ),
        tells_people_apart=True,
    ),
    Comparison(
        "e-mail",
        ("email",),
        _either_lacks("email"),
        (
            Level("equal", "email_l = email_r", 0.7, 0.00001),
            Level("equal to a former one", _formerly_equal("email"), 0.1, 0.00001),
            Level(
                "equal but for the provider", "split_part(email_l, '@', 1) = split_part(email_r, '@', 1)", 0.08, 0.0001
            ),
        ),
    ),
    Comparison(
        "phone",
        ("phone",),
        _either_lacks("phone"),
        (
            Level("equal", "phone_l = phone_r", 0.7, 0.00001),
            Level("one slip of the pen apart", _typed_wrong("phone", 1), 0.05, 0.00005),
        ),
    ),
    Comparison(
        "national id",
        ("national_id",),
        _either_lacks("national_id"),
        (
            Level("equal", "national_id_l = national_id_r", 0.85, 0.000001),
            Level("one slip of the pen apart", _typed_wrong("national_id", 1), 0.08, 0.00005),
        ),
        tells_people_apart=True,
    ),
    Comparison(
        "street",
        ("street",),
        _either_lacks("street"),
        (
            Level("equal", "street_l = street_r", 0.6, 0.0003, rare="street"),
            Level("nearly equal", _similar("street", 0.92), 0.15, 0.001),
            Level("similar", _similar("street", 0.85), 0.05, 0.01),
        ),
    ),
    Comparison(
        "place",
        ("postal_code", "city"),
        f"({_either_lacks('postal_code')}) and ({_either_lacks('city')})",
        (
            Level("equal in postal code", "postal_code_l = postal_code_r", 0.6, 0.002, rare="postal_code"),
            Level("equal in a former postal code", _formerly_equal("postal_code"), 0.1, 0.002),
            Level("equal in city", "city_l = city_r", 0.2, 0.05, rare="city"),
            Level("similar in city", _similar("city", 0.9), 0.05, 0.01),
        ),
    ),
)
