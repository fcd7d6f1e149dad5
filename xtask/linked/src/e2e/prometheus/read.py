"""Reads a page of metrics with Prometheus' own client, and writes its samples as JSON."""

import json
import sys

from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families as text

read = openmetrics.text_string_to_metric_families if sys.argv[1] == "openmetrics" else text
samples = []
for family in read(sys.stdin.read()):
    for sample in family.samples:
        named = dict(sample.labels, __name__=sample.name)
        samples.append([named, repr(float(sample.value)).replace("inf", "Inf")])
json.dump(samples, sys.stdout)
