"""What differs between the ten categories: how they are spelled, priced, bought, promoted and sent back."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Category:
    """The planted truth of one category.

    Attributes:
        elasticity: Demand goes with (price / base price) to the power of minus this.
        uplift: What a promotion multiplies demand by, beyond the effect of the lower price.
        amplitude: Half the yearly swing, as a share of the mean.
        peak_day: Day of the year on which the swing is highest.
        weekdays: Demand in stores from Monday to Sunday; made to average 1.
        return_share: Share of sold lines that come back within two weeks.
        price: Median list price in EUR.
        spellings: How people write it besides its name.
        goods: The names of its products.
    """

    name: str
    elasticity: float
    uplift: float
    amplitude: float
    peak_day: int
    weekdays: tuple[float, ...]
    return_share: float
    price: float
    spellings: tuple[str, ...]
    goods: tuple[str, ...]


_LEISURE = (0.78, 0.80, 0.86, 0.92, 1.14, 1.62, 0.88)
_DAILY = (0.98, 0.94, 0.96, 1.04, 1.30, 1.38, 0.40)
_EVEN = (0.92, 0.90, 0.95, 0.98, 1.10, 1.40, 0.75)


def _goods(names: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in names.split(";"))


CATEGORIES = (
    Category("Electronics", 1.6, 1.35, 0.18, 345, _LEISURE, 0.07, 95.0,
             ("electronics", "elec", "eletronics", " Electronics ", "ELECTRONICS", "Consumer Electronics"),
             _goods("Wireless Headphones;Bluetooth Speaker;USB-C Hub;Power Bank;Smart Plug;Webcam;Mechanical Keyboard;"
                    "Wireless Mouse;Action Camera;E-Reader;Fitness Tracker;Phone Case;Desk Lamp, LED;Monitor 24\";"
                    "Noise-Cancelling Earbuds")),
    Category("Home", 0.9, 1.20, 0.10, 300, _LEISURE, 0.03, 32.0,
             ("home", "Home & Living", "HOME", " home", "Hom", "home-living"),
             _goods("Throw Blanket;Scented Candle;Picture Frame;Wall Clock;Cushion Cover;Storage Basket;Table Lamp;"
                    "Towel;Bed Linen Set;Doormat;Curtain Pair;Mirror Round;Coat Rack;Laundry Hamper;Ceramic Vase")),
    Category("Kitchen", 1.1, 1.25, 0.12, 345, _EVEN, 0.03, 26.0,
             ("kitchen", "Kitchen ", "kitchn", "KITCHEN", "Kitchenware", "cookware"),
             _goods("Chef's Knife;Frying Pan;Espresso Cups;Cutting Board;Mixing Bowl;French Press;Kettle;Spice Rack;"
                    "Baking Tray;Food Storage Set;Pepper Mill;Wine Glasses;Salad Spinner;Kitchen Scale;Apron")),
    Category("Garden", 1.3, 1.30, 0.55, 135, _LEISURE, 0.02, 21.0,
             ("garden", "Garden & Outdoor", "GARDEN", "gardn", " garden ", "outdoor"),
             _goods("Pruning Shears;Watering Can;Plant Pot;Garden Hose;Potting Soil;Bird Feeder;Garden Gloves;"
                    "Solar Lights;Lawn Rake;Seed Mix;Raised Bed;Hammock;Barbecue Tongs;Parasol;Compost Bin")),
    Category("Toys", 1.8, 1.45, 0.35, 345, _LEISURE, 0.03, 19.0,
             ("toys", "Toys & Games", "TOYS", "toy", "Toyz", " Toys"),
             _goods("Building Blocks;Puzzle 1000;Board Game;Plush Bear;Toy Train;Card Game;Modelling Clay;Kite;"
                    "Doll House;Race Car;Marble Run;Science Kit;Water Pistol;Spinning Top;Stacking Rings")),
    Category("Sports", 1.4, 1.30, 0.28, 165, _LEISURE, 0.05, 36.0,
             ("sports", "sport", "SPORTS", "Sports & Outdoors", "sprots", " sports "),
             _goods("Yoga Mat;Running Belt;Dumbbell Pair;Jump Rope;Water Bottle;Bike Light;Football;Tennis Balls;"
                    "Swim Goggles;Foam Roller;Resistance Bands;Climbing Chalk;Headlamp;Cycling Gloves;Badminton Set")),
    Category("Beauty", 1.0, 1.20, 0.05, 345, _EVEN, 0.02, 14.0,
             ("beauty", "Beauty & Care", "BEAUTY", "beuaty", "Beauty ", "cosmetics"),
             _goods("Hand Cream;Face Serum;Shampoo;Lip Balm;Shower Gel;Nail Polish;Hair Brush;Body Lotion;Sunscreen;"
                    "Bath Salts;Beard Oil;Eye Cream;Face Mask;Perfume;Toothbrush Bamboo")),
    Category("Clothing", 1.5, 1.50, 0.15, 100, _LEISURE, 0.12, 34.0,
             ("clothing", "clothes", "CLOTHING", "Apparel", "clothng", " Clothing "),
             _goods("T-Shirt;Jeans;Wool Socks;Rain Jacket;Scarf;Beanie;Linen Shirt;Hoodie;Leggings;Belt Leather;"
                    "Summer Dress;Chinos;Pyjamas;Gloves Knitted;Sweater")),
    Category("Grocery", 0.6, 1.15, 0.05, 350, _DAILY, 0.005, 4.2,
             ("grocery", "groceries", "GROCERY", "Food", "grocrey", "Grocery "),
             _goods("Olive Oil;Dark Chocolate;Ground Coffee;Green Tea;Pasta Penne;Honey;Strawberry Jam;Almonds;"
                    "Sea Salt;Muesli;Peanut Butter;Sparkling Water;Red Lentils;Oat Biscuits;Tomato Sauce")),
    Category("Books", 0.8, 1.10, 0.20, 345, _EVEN, 0.015, 13.5,
             ("books", "book", "BOOKS", "Books & Media", "boks", " Books "),
             _goods("Crime Novel;Cookbook;Travel Guide;Picture Book;Biography;Science Fiction;Poetry;Colouring Book;"
                    "History of Bread;Garden Almanac;Language Course;Comic;Atlas;Short Stories;Puzzle Book")),
)  # fmt: skip

NAMES = tuple(category.name for category in CATEGORIES)
# What people write when they do not know; only the web shop's free text has it.
UNKNOWN = ("misc", "???", "diverse", "other")
