"""The statistics: numbers in, numbers out; no clock, no path, no print.

One file a concept: the definitions of docs/throughput.md and docs/latency.md, each beside its
formula's source.
Times are int64 nanoseconds of one monotonic clock; a window is [t0, t1).
"""

from __future__ import annotations

from bench.stats.alike import groups_alike
from bench.stats.bins import bin_edges, binned_mean, binned_occupancy, binned_rate
from bench.stats.combined import LogEffect, combine, disagree
from bench.stats.contrast import FIRST_STAGE, Contrast, contrast, starts_needed
from bench.stats.control_variate import Control, Pairs, fit_control
from bench.stats.counted import Counted, counted
from bench.stats.dependence import edges_of, slices_of
from bench.stats.estimate import Estimate, estimate
from bench.stats.gauges import (
    interpolate_cumulative,
    percentile,
    tapered_average,
    tapered_growth,
    tapered_mean,
    tapered_occupancy,
)
from bench.stats.histogram import difference, histogram_percentile
from bench.stats.latency import Grouped, Latency, latency
from bench.stats.little import little_disagrees, mean_by_little_ms
from bench.stats.outline import Outline, outline
from bench.stats.paired import (
    LogRatio,
    benjamini_hochberg,
    log_ratio,
    pooled_log_ratio,
)
from bench.stats.pooled import pooled_percentile
from bench.stats.quantile import Percentile
from bench.stats.rate_error import batch_error, gap_error
from bench.stats.regimes import Regimes, find_regimes, without_regimes
from bench.stats.scalability import Law, fit_law
from bench.stats.share import Share, share_of, together
from bench.stats.spread import Spread, spreads
from bench.stats.steady import Steadiness, steadiness
from bench.stats.student import reach_of
from bench.stats.survival import Curve, product_limit
from bench.stats.throughput import hann_rate, plain_rate

__all__ = [
    "FIRST_STAGE",
    "Contrast",
    "Control",
    "Counted",
    "Curve",
    "Estimate",
    "Grouped",
    "Latency",
    "Law",
    "LogEffect",
    "LogRatio",
    "Outline",
    "Pairs",
    "Percentile",
    "Regimes",
    "Share",
    "Spread",
    "Steadiness",
    "batch_error",
    "benjamini_hochberg",
    "bin_edges",
    "binned_mean",
    "binned_occupancy",
    "binned_rate",
    "combine",
    "contrast",
    "counted",
    "difference",
    "disagree",
    "edges_of",
    "estimate",
    "find_regimes",
    "fit_control",
    "fit_law",
    "gap_error",
    "groups_alike",
    "hann_rate",
    "histogram_percentile",
    "interpolate_cumulative",
    "latency",
    "little_disagrees",
    "log_ratio",
    "mean_by_little_ms",
    "outline",
    "percentile",
    "plain_rate",
    "pooled_log_ratio",
    "pooled_percentile",
    "product_limit",
    "reach_of",
    "share_of",
    "slices_of",
    "spreads",
    "starts_needed",
    "steadiness",
    "tapered_average",
    "tapered_growth",
    "tapered_mean",
    "tapered_occupancy",
    "together",
    "without_regimes",
]
