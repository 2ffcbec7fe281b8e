"""The languages that the marketplace speaks, the first where nobody says another."""

LANGUAGES = ("en", "lv", "ru")
