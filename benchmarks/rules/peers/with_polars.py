"""Polars: the whole table at once, columns and rolling expressions. It knows no stream, no late reading.

A rule is a finding from where `opens` holds until `clears` does: opens as 1, clears as 0, carried forward
within a patient, and counted where it turns to 1.
"""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass

# Read when Polars is imported: one core, like the others.
os.environ.setdefault("POLARS_MAX_THREADS", "1")

import numpy as np
import polars as pl

from benchmarks.rules.peers.compared import RULES, Compared, Outcome, limits
from models.kinds import KIND_BY_NAME

VALUE, TAKEN_AT = pl.col("value"), "taken_at"


def found(given: Compared) -> Outcome:
    """Every patient's findings."""
    columns = given.columns
    table = pl.DataFrame(
        {
            "patient": columns.patient,
            "kind": columns.kind,
            TAKEN_AT: columns.taken_at_us.astype("datetime64[us]"),
            "value": columns.value,
        }
    )
    begun_s, cpu_s = time.perf_counter(), time.process_time()
    counted = [_openings(table, rule) for rule in RULES]
    elapsed_s, cpu_s = time.perf_counter() - begun_s, time.process_time() - cpu_s
    opened = np.zeros((len(RULES), len(given.people)), np.int64)
    for row, each in zip(opened, counted, strict=True):
        row[each["patient"].to_numpy()] = each["opened"].to_numpy()
    how = f"Polars {pl.__version__}, {pl.thread_pool_size()} thread, the whole table at once"
    return Outcome("Polars", how, len(given), elapsed_s, cpu_s, opened)


@dataclass(frozen=True)
class Said:
    """A rule as Polars says it: of a kind, from features, when it opens and when it clears."""

    kind: str
    features: Mapping[str, pl.Expr]
    opens: pl.Expr
    clears: pl.Expr


def _openings(table: pl.DataFrame, rule: str) -> pl.DataFrame:
    """How often a rule opens, by patient."""
    said = SAID[rule]
    state = pl.when(said.opens).then(1).when(said.clears).then(0).forward_fill().fill_null(0).over("patient")
    turned = pl.col("state") > pl.col("state").shift(1, fill_value=0).over("patient")
    rows = table.lazy().filter(pl.col("kind") == KIND_BY_NAME[said.kind].number)
    rows = rows.with_columns(**said.features).with_columns(state=state)
    return rows.filter(turned).group_by("patient").agg(pl.len().alias("opened")).collect()


def _millionths(value: pl.Expr) -> pl.Expr:
    return (value * 1e6 + 0.5).floor()


def _rise(window: str) -> pl.Expr:
    """Last minus the lowest, both in the window."""
    return _millionths(VALUE - VALUE.rolling_min_by(TAKEN_AT, window).over("patient"))


def _mean(window: str) -> pl.Expr:
    return _millionths(VALUE.rolling_mean_by(TAKEN_AT, window).over("patient"))


def _count(window: str) -> pl.Expr:
    return (VALUE * 0 + 1).rolling_sum_by(TAKEN_AT, window).over("patient")


at = limits()
last, rise, mean, count = _millionths(VALUE), pl.col("rise"), pl.col("mean"), pl.col("count")
SAID: Mapping[str, Said] = {
    "weight_gain": Said(
        "body_weight",
        {"rise": _rise("3d"), "count": _count("3d")},
        (count > 1) & (rise > at["gain"]),
        (count > 1) & (rise <= at["gain_over"]),
    ),
    "pressure_mean": Said(
        "systolic",
        {"mean": _mean("7d")},
        mean >= at["pressure_mean"],
        mean < at["pressure_mean_over"],
    ),
    "pressure_jump": Said(
        "systolic",
        {"rise": _rise("3d"), "count": _count("3d")},
        (count > 1) & (rise >= at["pressure_rise"]) & (last >= at["pressure_high"]),
        last < at["pressure_high"],
    ),
    "oxygen_low": Said("spo2", {}, last < at["oxygen_low"], last >= at["oxygen_over"]),
    "fast_heart": Said(
        "pulse",
        {"mean": _mean("36h"), "count": _count("36h")},
        (mean > at["fast"]) & (count >= at["often"]),
        mean <= at["fast_over"],
    ),
}
