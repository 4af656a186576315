package main

import (
	"math"
	"math/rand"
	"slices"
	"testing"
	"testing/quick"
)

// Values of every size are as likely, from exact ones to the largest int64.
func anyDurations(r *rand.Rand) []int64 {
	values := make([]int64, 1+r.Intn(300))
	for i := range values {
		values[i] = r.Int63() >> r.Intn(63)
	}
	return values
}

// Any percentile of any durations is within 1 % of the exact nearest rank.
func TestPercentileIsWithinOnePercent(t *testing.T) {
	property := func(seed int64) bool {
		r := rand.New(rand.NewSource(seed))
		values := anyDurations(r)
		h := &histogram{}
		for _, v := range values {
			h.record(v)
		}
		slices.Sort(values)
		for _, p := range []float64{0.001, 0.5, 0.9, 0.99, 1, 1 - r.Float64()} {
			exact := values[int(math.Ceil(p*float64(len(values))))-1]
			if math.Abs(float64(h.percentile(p)-exact)) > 0.01*float64(exact) {
				t.Logf("seed %d, p %v: exact %d, got %d", seed, p, exact, h.percentile(p))
				return false
			}
		}
		return h.max == values[len(values)-1] && h.count == int64(len(values))
	}
	if err := quick.Check(property, nil); err != nil {
		t.Error(err)
	}
}

// The sparse form has every value once, ascending, by its bucket's middle.
func TestSparseHasEveryValue(t *testing.T) {
	property := func(seed int64) bool {
		h, want := &histogram{}, map[int64]int64{}
		for _, v := range anyDurations(rand.New(rand.NewSource(seed))) {
			h.record(v)
			want[middleOf(bucketOf(v))]++
		}
		last := int64(-1)
		for _, bucket := range h.sparse() {
			middle, n := bucket[0], bucket[1]
			if middle <= last || n != want[middle] {
				t.Logf("seed %d: %d at %d after %d, want %d", seed, n, middle, last, want[middle])
				return false
			}
			last = middle
			delete(want, middle)
		}
		return len(want) == 0
	}
	if err := quick.Check(property, nil); err != nil {
		t.Error(err)
	}
}

// Buckets follow each other without a gap up to the largest value.
func TestBucketsAreContiguous(t *testing.T) {
	for bucket := range bucketCount {
		if got := bucketOf(middleOf(bucket)); got != bucket {
			t.Fatalf("the middle of bucket %d falls in bucket %d", bucket, got)
		}
	}
	if got := bucketOf(math.MaxInt64); got != bucketCount-1 {
		t.Errorf("the largest value falls in bucket %d, want the last, %d", got, bucketCount-1)
	}
}

// A negative duration counts as 0 and an empty histogram says 0.
func TestHistogramEdges(t *testing.T) {
	h := &histogram{}
	if got := h.percentile(0.5); got != 0 {
		t.Errorf("empty: got %d", got)
	}
	h.record(-5)
	if h.count != 1 || h.max != 0 || h.percentile(1) != 0 {
		t.Errorf("after -5: count %d, max %d, p100 %d", h.count, h.max, h.percentile(1))
	}
}
