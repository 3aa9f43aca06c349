"""Zero-shot classification (Yandex Cup 2021)."""
