"""What is counted, under the names that ``/metrics`` shows. Labels are configured names, never free text or URLs."""

from __future__ import annotations

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)
GCCollector(registry=REGISTRY)

BUILD = Gauge("policyfeed_build_info", "The running version.", ["version"], registry=REGISTRY)

POLLS = Counter(
    "policyfeed_polls_total",
    "Visits to sources by how they ended: new, nothing, unchanged, or an error's name.",
    ["source", "outcome"],
    registry=REGISTRY,
)
REQUESTS = Counter("policyfeed_requests_total", "Requests made to sources.", ["source"], registry=REGISTRY)
PARSED = Counter(
    "policyfeed_entries_parsed_total",
    "Entries that were read; what is known byte for byte is not.",
    ["source"],
    registry=REGISTRY,
)
SANITIZED = Counter(
    "policyfeed_entries_sanitized_total",
    "Entries that were made articles; what is known word for word is not.",
    ["source"],
    registry=REGISTRY,
)
MATCHED = Counter("policyfeed_articles_matched_total", "Articles that were judged.", ["source"], registry=REGISTRY)
ROWS = Counter(
    "policyfeed_rows_written_total",
    "Rows written by polls, the sources' own not counted.",
    ["source"],
    registry=REGISTRY,
)
POLL_SECONDS = Histogram(
    "policyfeed_poll_seconds",
    "How long a visit to a source took.",
    ["source"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120),
    registry=REGISTRY,
)
LAST_SUCCESS = Gauge(
    "policyfeed_source_last_success_timestamp_seconds",
    "When a source was last read without an error.",
    ["source"],
    registry=REGISTRY,
)
PUBLISH_TO_SEEN = Gauge(
    "policyfeed_publish_to_seen_seconds",
    "How long the releases of the last 30 days waited from publication until a source showed them: "
    "percentiles (0.5, 0.9, 0.99).",
    ["source", "quantile"],
    registry=REGISTRY,
)
SOURCE_FAILURES = Gauge(
    "policyfeed_source_failures", "Visits that failed since the last one that did not.", ["source"], registry=REGISTRY
)
SOURCE_CONDITION = Gauge(
    "policyfeed_source_condition",
    "1 for the condition that a source is in.",
    ["source", "condition"],
    registry=REGISTRY,
)
ARTICLES = Gauge("policyfeed_articles", "Articles stored, by verdict: kept, dropped.", ["verdict"], registry=REGISTRY)

BODIES = Counter(
    "policyfeed_bodies_total",
    "Attempts to read articles' own pages by how they ended: done, pending (tried again later), failed (given up).",
    ["source", "outcome"],
    registry=REGISTRY,
)

FILES_WRITTEN = Counter(
    "policyfeed_files_written_total", "Published files whose bytes changed.", ["file"], registry=REGISTRY
)
RENDER_SECONDS = Histogram(
    "policyfeed_render_seconds",
    "How long it took to render a feed.",
    ["format"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
    registry=REGISTRY,
)
ENTRIES_LAID_OUT = Counter(
    "policyfeed_entries_laid_out_total",
    "Entries laid out for a feed: new and changed articles, once a format and language.",
    ["format"],
    registry=REGISTRY,
)
LEFT_OUT = Counter(
    "policyfeed_articles_left_out_total", "Articles that a feed could not carry.", ["feed"], registry=REGISTRY
)

DELIVERIES = Counter(
    "policyfeed_deliveries_total",
    "Attempts to deliver by how they ended: delivered, retry, rejected.",
    ["channel", "outcome"],
    registry=REGISTRY,
)
OUTBOX = Gauge("policyfeed_outbox", "Deliveries by channel and state.", ["channel", "state"], registry=REGISTRY)

HTTP_REQUESTS = Counter(
    "policyfeed_http_requests_total", "Requests answered, by route and status.", ["route", "status"], registry=REGISTRY
)
HTTP_SECONDS = Histogram(
    "policyfeed_http_seconds",
    "How long it took to answer.",
    ["route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
    registry=REGISTRY,
)
