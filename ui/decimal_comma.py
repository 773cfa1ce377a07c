"""Whether spreadsheets of the browser's country write a decimal comma.

There they take a CSV with commas for a table of one column, and 0.97 for a text or a date.
"""

import streamlit as st

# Languages with a decimal comma wherever they are spoken, apart from the countries below.
_LANGUAGES = {
    *("az", "be", "bg", "bs", "ca", "cs", "da", "de", "el", "es", "et"),
    *("eu", "fi", "fo", "fr", "gl", "hr", "hu", "hy", "id", "is", "it"),
    *("ka", "kk", "lt", "lv", "mk", "nb", "nl", "nn", "no", "pl", "pt"),
    *("ro", "ru", "sk", "sl", "sq", "sr", "sv", "tr", "uk", "uz", "vi"),
}
_POINT = {
    *("de-CH", "de-LI", "es-419", "es-DO", "es-GT", "es-HN", "es-MX", "es-NI"),
    *("es-PA", "es-PE", "es-PR", "es-SV", "es-US", "fr-CH", "it-CH", "nl-US"),
}
# Countries where English is used with a decimal comma.
_COMMA = {"en-AT", "en-BE", "en-DE", "en-DK", "en-FI", "en-NL", "en-SE", "en-ZA"}


def in_browser() -> bool:
    """Of the browser's first language; False until it is known."""
    return in_locale(st.context.locale or "")


def in_locale(tag: str) -> bool:
    """Of a language tag such as `de` or `pt-BR`."""
    language, _, rest = tag.replace("_", "-").partition("-")
    name = f"{language.lower()}-{rest.rpartition('-')[2].upper()}"
    return name in _COMMA or (language.lower() in _LANGUAGES and name not in _POINT)
