"""Districts of Rīga, and its neighbours."""

from marketplace.cli.town.shapes import Place

PLACES = {
    "agenskalns": Place("Āgenskalns, Rīga", 56.9350, 24.0690),
    "bolderaja": Place("Bolderāja, Rīga", 57.0290, 24.0480),
    "centrs": Place("Centrs, Rīga", 56.9535, 24.1230),
    "grizinkalns": Place("Grīziņkalns, Rīga", 56.9580, 24.1440),
    "imanta": Place("Imanta, Rīga", 56.9610, 24.0070),
    "jugla": Place("Jugla, Rīga", 56.9880, 24.2480),
    "kengarags": Place("Ķengarags, Rīga", 56.9050, 24.1830),
    "mezaparks": Place("Mežaparks, Rīga", 57.0080, 24.1550),
    "plavnieki": Place("Pļavnieki, Rīga", 56.9390, 24.2080),
    "purvciems": Place("Purvciems, Rīga", 56.9560, 24.1950),
    "sarkandaugava": Place("Sarkandaugava, Rīga", 56.9990, 24.1240),
    "teika": Place("Teika, Rīga", 56.9690, 24.1900),
    "tornakalns": Place("Torņakalns, Rīga", 56.9270, 24.0850),
    "ziepniekkalns": Place("Ziepniekkalns, Rīga", 56.9060, 24.0890),
    "bulduri": Place("Bulduri, Jūrmala", 56.9790, 23.8620),
    "majori": Place("Majori, Jūrmala", 56.9720, 23.7960),
    "salaspils": Place("Salaspils", 56.8610, 24.3550),
}
