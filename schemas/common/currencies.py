"""The currencies that Sauda takes, by their codes of ISO 4217."""

CURRENCIES = (
    "AED", "AMD", "AUD", "AZN", "BGN", "BRL", "BYN", "CAD", "CHF", "CNY", "CZK", "DKK", "EUR", "GBP", "GEL", "HKD",
    "HUF", "IDR", "ILS", "INR", "JPY", "KGS", "KRW", "KZT", "MDL", "MXN", "MYR", "NOK", "NZD", "PLN", "RON", "RSD",
    "RUB", "SAR", "SEK", "SGD", "THB", "TJS", "TMT", "TRY", "UAH", "USD", "UZS", "VND", "ZAR",
)  # fmt: skip
