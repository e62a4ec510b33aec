"""Makes the real data of the world ``demo``: predictions of a model, and how they came out.

Needs scikit-learn and statsmodels, which nothing else here needs::

    pip install scikit-learn statsmodels
    python -m benchmarks.make_world_data

The data are public domain; ``worlds/demo/doctor_visits/README.md`` names source and licence. The result is in the
repository: run this only to make it anew. With the same versions the same bytes come out.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
from pathlib import Path
from typing import Any

from airflow_provider.emulator.metrics import binary

HERE = Path(__file__).parents[1] / "airflow_provider" / "emulator" / "worlds" / "demo"
TRAINING, HOLDOUT, DAYS, REQUESTS, PER_REQUEST = 12_000, 4_000, 7, 5, 100
FIRST_REQUEST, BETWEEN, PER_ROW = 8 * 3_600, 7_200, 6  # seconds of the day: 8, 10, 12, 14 and 16 o'clock
SEED = 7


def main() -> None:
    """Train, predict, and write the three files."""
    features, absent = load()
    order = list(range(len(absent)))
    random.Random(SEED).shuffle(order)  # noqa: S311 - a split, no secret
    training, rest = order[:TRAINING], order[TRAINING:]
    holdout, later = rest[:HOLDOUT], rest[HOLDOUT : HOLDOUT + DAYS * REQUESTS * PER_REQUEST]
    model = fitted([features[row] for row in training], [absent[row] for row in training])
    write_rows(predictions(model, features, later), later, absent)
    write_baseline(predictions(model, features, holdout), [absent[row] for row in holdout])


def load() -> tuple[list[list[float]], list[bool]]:
    """The features of each person and year, and whether no doctor was seen."""
    from statsmodels.datasets import randhie  # type: ignore[import-not-found, import-untyped, unused-ignore]

    table = randhie.load_pandas().data
    features = table.drop(columns="mdvis").to_numpy().tolist()
    return features, [visits == 0 for visits in table["mdvis"]]


def fitted(features: list[list[float]], absent: list[bool]) -> Any:
    """A gradient boosted model."""
    from sklearn.ensemble import HistGradientBoostingClassifier  # type: ignore[import-untyped, unused-ignore]

    return HistGradientBoostingClassifier(max_iter=120, learning_rate=0.06, random_state=SEED).fit(features, absent)


def predictions(model: Any, features: list[list[float]], rows: list[int]) -> list[float]:
    """The probability of no visit, for each of these rows."""
    return [round(float(share), 6) for share in model.predict_proba([features[row] for row in rows])[:, 1]]


def write_rows(shares: list[float], rows: list[int], absent: list[bool]) -> None:
    """The predictions with their outcomes, and the outcomes alone as users have them."""
    predicted, outcomes = io.StringIO(newline=""), io.StringIO(newline="")
    wide = csv.writer(predicted, lineterminator="\n")
    narrow = csv.writer(outcomes, lineterminator="\n")
    wide.writerow(("days_before", "second", "id", "prediction", "outcome"))
    narrow.writerow(("days_before", "id", "no_visit"))
    for number, (share, row) in enumerate(zip(shares, rows, strict=True)):
        request, place = divmod(number, PER_REQUEST)
        day, request = divmod(request, REQUESTS)
        second = FIRST_REQUEST + request * BETWEEN + place * PER_ROW
        key, outcome = f"insured-{row:05d}", "yes" if absent[row] else "no"
        wide.writerow((DAYS - day, second, key, share, outcome))
        narrow.writerow((DAYS - day, key, outcome))
    folder = HERE / "doctor_visits"
    packed = gzip.compress(predicted.getvalue().encode(), mtime=0)
    (folder / "predictions.csv.gz").write_bytes(packed)
    (folder / "outcomes.csv").write_text(outcomes.getvalue(), encoding="utf-8")


def write_baseline(shares: list[float], absent: list[bool]) -> None:
    """What the metrics are on rows that the model has not seen in training, put to its package."""
    file = HERE / "nightly.json"
    world = json.loads(file.read_text(encoding="utf-8"))
    found = binary.values(zip(shares, absent, strict=True))
    metrics = {name: round(value, 6) for name, value in found.items() if value is not None}
    world["packages"][0]["baseline"] = {"sampleSize": len(shares), "metrics": metrics}
    file.write_text(json.dumps(world, indent=1) + "\n", encoding="utf-8")
    print(f"{len(shares)} rows of holdout: {metrics}")


if __name__ == "__main__":
    main()
