"""What people and streets are called, and how people shorten their own names."""

from __future__ import annotations

from collections.abc import Mapping

FIRST_NAMES = (
    "Anna", "Ben", "Clara", "David", "Elif", "Felix", "Greta", "Hannes", "Ida", "Jonas", "Klara", "Luca", "Mia", "Noah",
    "Olivia", "Paul", "Quinn", "Rosa", "Samir", "Theo", "Uma", "Viktor", "Wanda", "Xenia", "Yusuf", "Zoe", "Léa",
    "Björn", "Siobhán", "Mateo",
    "Alexander", "Benjamin", "Charlotte", "Daniel", "Elisabeth", "Frederik", "Gabriele", "Helena", "Isabella", "Jakob",
    "Katharina", "Leonard", "Margarethe", "Nikolaus", "Oskar", "Philipp", "Rebecca", "Sebastian", "Theresa", "Ulrike",
    "Valentin", "William", "Maximilian", "Johanna", "Christopher", "Michael", "Thomas", "Susanne", "Andreas", "Barbara",
    "Amélie", "Bruno", "Camille", "Dario", "Emma", "Francesca", "Giulia", "Hugo", "Inès", "Jasper", "Kaja", "Lotte",
    "Marek", "Nadia", "Ömer", "Pia", "Rafael", "Sofie", "Tomasz", "Ursula", "Vera", "Willem", "Yara", "Zdenka", "Aisha",
    "Carlos", "Dilara", "Erik", "Fatima", "Gustav",
)  # fmt: skip
LAST_NAMES = (
    "Adler", "Becker", "Clarke", "Dubois", "Evans", "Fischer", "García", "Hoffmann", "Ivanov", "Jansen", "Keller",
    "Lefèvre", "Müller", "Nowak", "O'Brien", "Peeters", "Quist", "Rossi", "Schmidt", "Taylor", "Ulrich", "Visser",
    "Weber", "Yilmaz", "Zimmermann", "de Vries", "van den Berg", "Smith", "Johnson", "Nguyen",
    "Andersen", "Bauer", "Claes", "Demir", "Eriksson", "Fontaine", "Gruber", "Huber", "Iversen", "Jacobs", "Kowalski",
    "Lambert", "Maes", "Nielsen", "Öztürk", "Petit", "Richter", "Schneider", "Thompson", "Ünal", "Vogel", "Wagner",
    "Wójcik", "Zeller", "Brandt", "Conti", "Dijkstra", "Engel", "Ferrari", "Götz", "Hansen", "Jung", "Krüger", "Lange",
    "Martin", "Novak", "Otten", "Pereira", "Roth", "Schäfer", "Torres", "Vermeulen", "Williams", "Yıldız", "Baumann",
    "Costa", "Dupont", "Friedrich", "Gomez", "Hartmann", "Janssens", "Kaiser", "Lindqvist", "Moreau", "Neumann",
    "Pfeiffer", "Romano", "Sánchez", "Winkler", "Ziegler",
)  # fmt: skip
NICKNAMES: Mapping[str, str] = {
    "Alexander": "Alex", "Benjamin": "Ben", "Charlotte": "Lotte", "Daniel": "Dan", "David": "Dave",
    "Elisabeth": "Lisa", "Frederik": "Fred", "Gabriele": "Gabi", "Helena": "Lena", "Isabella": "Bella",
    "Jakob": "Jake", "Katharina": "Kathi", "Leonard": "Leo", "Margarethe": "Grete", "Nikolaus": "Klaus",
    "Philipp": "Phil", "Rebecca": "Becky", "Sebastian": "Basti", "Theresa": "Resi", "Ulrike": "Uli", "Valentin": "Val",
    "William": "Bill", "Maximilian": "Max", "Johanna": "Hanna", "Christopher": "Chris", "Michael": "Mike",
    "Thomas": "Tom", "Susanne": "Susi", "Andreas": "Andi", "Barbara": "Babs", "Viktor": "Vik", "Theo": "Ted",
    "Jonas": "Joni", "Olivia": "Liv", "Samir": "Sam", "Francesca": "Franca", "Rafael": "Rafa", "Ursula": "Uschi",
}  # fmt: skip
STREETS = (
    "Hauptstraße", "Bahnhofstraße", "Gartenstraße", "Schulstraße", "Dorfstraße", "Bergstraße", "Lindenallee",
    "Kirchweg", "Mühlenweg", "Rosenweg", "Am Markt", "Goethestraße", "Schillerplatz", "Rue de la Gare",
    "Avenue Victor Hugo", "Place du Marché", "Rue des Lilas", "Stationsstraat", "Kerkstraat", "Molenweg", "Dorpsplein",
    "Nieuwstraat", "Main Street", "Oak Avenue", "Maple Drive", "Lake Road", "High Street", "Park Lane", "Calle Mayor",
    "Plaza Nueva", "Vestergade", "Nørregade", "Wiener Straße", "Ringstraße", "Feldgasse", "Sonnenhang",
)  # fmt: skip
