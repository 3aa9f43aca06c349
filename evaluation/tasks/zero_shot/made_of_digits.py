"""Digits as zero-shot classes with Russian and English names, learned from texts of which 40% name a random digit."""

import json

import numpy as np

from evaluation.contract.draw import Draw
from evaluation.datasets.digits import load_digit_scans, write_pictures
from evaluation.files.whole import write_text

_TRAIN, _TEST, _WRONG = 800, 400, 0.4

_FORMS = {
    "digits-ru": (
        ("ноль", "нолик", "нуля", "нулевой"),
        ("один", "одного", "единица", "единичка"),
        ("два", "двойка", "двух", "двоечка"),
        ("три", "тройка", "трёх", "трёшка"),
        ("четыре", "четвёрка", "четырёх", "четыреста"),
        ("пять", "пятёрка", "пяти", "пятак"),
        ("шесть", "шестёрка", "шести", "шестой"),
        ("семь", "семёрка", "семи", "седьмой"),
        ("восемь", "восьмёрка", "восьми", "восьмой"),
        ("девять", "девятка", "девяти", "девятый"),
    ),
    "digits-en": (
        ("zero", "zeros", "zeroes"),
        ("one", "ones", "oneself"),
        ("two", "twos", "twofold"),
        ("three", "threes", "threefold"),
        ("four", "fours", "fourth"),
        ("five", "fives", "fivefold"),
        ("six", "sixes", "sixth"),
        ("seven", "sevens", "seventh"),
        ("eight", "eights", "eighth"),
        ("nine", "nines", "ninefold"),
    ),
}
_PHRASES = {
    "digits-ru": ("{} фото", "цифра {}", "{} рисунок от руки", "почерк {}", "{}", "скан {} карандашом", "картинка {}"),
    "digits-en": ("{} photo", "digit {}", "handwritten {}", "{} drawing", "{}", "number {} pencil", "scan of {}"),
}


def write(draw: Draw) -> None:
    """Writes metadata.json and images.json as JSON Lines, and two data sets with classes.json and img/<name>.jpg."""
    digits, rng = load_digit_scans().shuffled(draw.number, "zero_shot")
    pictures = {"train": {f"{row + 1}.jpg": digits.scans[row] for row in range(_TRAIN)}}
    pairs = [{"image": row + 1, "queries": _queries(int(digits.labels[row]), rng)} for row in range(_TRAIN)]
    urls = [{"image": row + 1, "url": f"file:train/{row + 1}.jpg"} for row in range(_TRAIN)]
    for name, lines in (("metadata.json", pairs), ("images.json", urls)):
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        write_text(draw.own_embeddings / name, text)
    truth = {}
    for number, (dataset, forms) in enumerate(_FORMS.items()):
        rows = _TRAIN + number * _TEST + np.arange(_TEST)
        pictures[f"{dataset}/img"] = {f"{row + 1}.jpg": digits.scans[row] for row in rows.tolist()}
        classes = json.dumps([words[0] for words in forms], ensure_ascii=False) + "\n"
        for place in (draw.own_data / dataset, draw.own_embeddings / dataset):
            write_text(place / "classes.json", classes)
        truth[dataset] = {str(row + 1): int(digits.labels[row]) for row in rows}
    write_pictures(pictures, draw.own_embeddings, draw.own_data)
    write_text(draw.own_data / "truth.json", json.dumps(truth) + "\n")


def _queries(label: int, rng: np.random.Generator) -> list[str]:
    """One to three search queries that led to the image; two in five name a random digit."""
    queries = []
    for _ in range(int(rng.integers(1, 4))):
        shown = label if rng.random() >= _WRONG else int(rng.integers(10))
        language = ("digits-ru", "digits-en")[int(rng.integers(2))]
        word = _FORMS[language][shown][int(rng.integers(len(_FORMS[language][shown])))]
        queries.append(_PHRASES[language][int(rng.integers(len(_PHRASES[language])))].format(word))
    return queries
