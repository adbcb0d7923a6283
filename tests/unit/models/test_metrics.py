import re

from prometheus_client.metrics import MetricWrapperBase

from models import metrics

OURS = [value for value in vars(metrics).values() if isinstance(value, MetricWrapperBase)]


def test_names_and_help() -> None:
    assert len(OURS) > 20
    for metric in OURS:
        (described,) = metric.describe()
        assert re.fullmatch(
            r"thuiswacht_(log|ingest|alerting|notify|register|dispatch|watch|clock|gateway|shadow)_[a-z_]+",
            described.name,
        ), described.name
        assert described.documentation.endswith(".")


def test_no_metric_names_a_patient() -> None:
    for metric in OURS:
        labels: tuple[str, ...] = vars(metric)["_labelnames"]
        assert not {"patient", "patient_id", "device", "device_id"} & set(labels)
