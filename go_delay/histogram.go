package main

import (
	"math"
	"math/bits"
)

// Each octave is cut into 2^subBits buckets of equal width, so a bucket is at
// most 1/128 of its lower bound wide and its middle at most 0.4 % off any value
// in it. Values below 2^(subBits+1) have a bucket each and are exact.
const (
	subBits     = 7
	subCount    = 1 << subBits
	bucketCount = (63-subBits)*subCount + subCount
)

// histogram counts durations in nanoseconds (0 to the largest int64) in a fixed
// 58 kB, whatever their number. It is not safe for concurrent use: its owner
// locks, so that its count and the owner's counters agree in every snapshot.
type histogram struct {
	buckets [bucketCount]int64
	count   int64
	max     int64
}

// bucketOf gives the bucket that holds ns, which must not be negative.
func bucketOf(ns int64) int {
	if ns < subCount {
		return int(ns)
	}
	shift := bits.Len64(uint64(ns)) - (subBits + 1)
	return shift*subCount + int(ns>>shift)
}

// middleOf gives the value that stands for all values in a bucket.
func middleOf(bucket int) int64 {
	if bucket < 2*subCount {
		return int64(bucket)
	}
	shift := bucket/subCount - 1
	lower := int64(bucket-shift*subCount) << shift
	return lower + (int64(1)<<shift)/2
}

// record counts one duration. Negative ones count as 0: the clock is monotonic
// and a timer never fires early, so that would be rounding.
func (h *histogram) record(ns int64) {
	ns = max(ns, 0)
	h.buckets[bucketOf(ns)]++
	h.count++
	h.max = max(h.max, ns)
}

// sparse gives [middle in ns, count] of each bucket that holds something, in
// ascending order.
func (h *histogram) sparse() [][2]int64 {
	filled := [][2]int64{} // not nil, which JSON has as null
	for bucket, n := range h.buckets {
		if n > 0 {
			filled = append(filled, [2]int64{middleOf(bucket), n})
		}
	}
	return filled
}

// percentile gives the nearest-rank percentile in ns within 1 %: the smallest
// value with at least a share of p (0 < p <= 1) of all values at or below it.
// It is 0 when nothing was recorded.
func (h *histogram) percentile(p float64) int64 {
	rank := int64(math.Ceil(p * float64(h.count)))
	var seen int64
	for bucket, n := range h.buckets {
		seen += n
		if n > 0 && seen >= rank {
			return min(middleOf(bucket), h.max)
		}
	}
	return h.max
}
