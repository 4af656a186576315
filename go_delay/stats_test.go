package main

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// fakeClock gives the instants a test sets, in ns.
type fakeClock struct{ ns int64 }

func (c *fakeClock) now() int64 { return c.ns }

func checkBalance(t *testing.T, s snapshot) {
	t.Helper()
	if s.Started != s.Served+s.Cancelled+s.InFlight.Now {
		t.Errorf("started %d is not served %d + cancelled %d + in flight %d",
			s.Started, s.Served, s.Cancelled, s.InFlight.Now)
	}
	if s.Overshoot.Count != s.Served {
		t.Errorf("overshoot of %d requests, but %d served", s.Overshoot.Count, s.Served)
	}
	if s.InFlight.Peak < s.InFlight.Now {
		t.Errorf("peak %d is below now %d", s.InFlight.Peak, s.InFlight.Now)
	}
}

// The integral is exact up to the snapshot, also between two changes.
func TestIntegralAndAverage(t *testing.T) {
	clock := &fakeClock{ns: 1000}
	s := newStats(clock.now)
	first := s.begin()
	clock.ns = 1100
	s.begin()
	clock.ns = 1150
	s.serve(first, 120)
	clock.ns = 1200
	got := s.snapshot()
	checkBalance(t, got)
	// 1 for 100 ns, 2 for 50 ns, 1 for 50 ns, over 200 ns.
	want := inFlight{Now: 1, Peak: 2, Average: 1.25, IntegralNS: 250}
	if got.InFlight != want || got.MonotonicNS != 1200 {
		t.Errorf("got %+v at %d, want %+v at 1200", got.InFlight, got.MonotonicNS, want)
	}
	if *got.Overshoot.Max != 30e-6 {
		t.Errorf("overshoot %v ms, want 30 ns", *got.Overshoot.Max)
	}
}

// A reset keeps what is in flight as started, and forgets the rest.
func TestResetKeepsRequestsInFlight(t *testing.T) {
	clock := &fakeClock{}
	s := newStats(clock.now)
	began := s.begin()
	s.begin()
	s.serve(s.begin(), 0)
	s.reject()
	clock.ns = 500
	s.reset()
	got := s.snapshot()
	checkBalance(t, got)
	want := inFlight{Now: 2, Peak: 2, Average: 2, IntegralNS: 0}
	if got.InFlight != want || got.Started != 2 || got.Served != 0 || got.Rejected != 0 {
		t.Errorf("after the reset: %+v", got)
	}
	clock.ns = 700
	s.serve(began, 0)
	s.cancel()
	got = s.snapshot()
	checkBalance(t, got)
	if got.Served != 1 || got.Cancelled != 1 || got.InFlight.IntegralNS != 400 {
		t.Errorf("after they ended: %+v", got)
	}
}

// What was served between two snapshots is the difference of their buckets.
func TestBucketsOfAWindow(t *testing.T) {
	clock := &fakeClock{}
	s := newStats(clock.now)
	serve := func(tookNS int64) {
		began := s.begin()
		clock.ns += tookNS
		s.serve(began, 100)
	}
	serve(150)
	before := s.snapshot().Overshoot.Buckets
	serve(107)
	serve(150)
	serve(1_000_100) // in a bucket from 999_424 to 1_003_520
	after := s.snapshot().Overshoot.Buckets
	if want := [][2]int64{{50, 1}}; !slices.Equal(before, want) {
		t.Errorf("before: %v, want %v", before, want)
	}
	if want := [][2]int64{{7, 1}, {50, 2}, {1_001_472, 1}}; !slices.Equal(after, want) {
		t.Errorf("after: %v, want %v", after, want)
	}
	s.reset()
	if got := s.snapshot().Overshoot.Buckets; len(got) != 0 {
		t.Errorf("after the reset: %v", got)
	}
}

// Percentiles nobody can know are null, not 0.
func TestPercentilesAreNullWithoutRequests(t *testing.T) {
	text, err := json.Marshal(newStats(monotonicNS).snapshot())
	if err != nil {
		t.Fatal(err)
	}
	want := `"overshoot_ms":{"count":0,"p50":null,"p90":null,"p99":null,"max":null,"buckets":[]}`
	if !strings.Contains(string(text), want) {
		t.Errorf("%s lacks %s", text, want)
	}
}

// Every snapshot balances while requests begin, end and counters are reset.
func TestSnapshotsBalanceUnderConcurrency(t *testing.T) {
	s := newStats(monotonicNS)
	var users sync.WaitGroup
	for user := range 8 {
		users.Add(1)
		go func() {
			defer users.Done()
			for i := range 500 {
				began := s.begin()
				if (i+user)%5 == 0 {
					s.cancel()
				} else {
					s.serve(began, 0)
				}
				if i%100 == 99 {
					s.reset()
				}
			}
		}()
	}
	done := make(chan struct{})
	go func() { users.Wait(); close(done) }()
	for last := int64(0); ; {
		got := s.snapshot()
		checkBalance(t, got)
		if got.MonotonicNS < last {
			t.Fatalf("time ran back from %d to %d", last, got.MonotonicNS)
		}
		last = got.MonotonicNS
		select {
		case <-done:
			if got = s.snapshot(); got.InFlight.Now != 0 {
				t.Errorf("%d in flight at the end", got.InFlight.Now)
			}
			return
		default:
		}
	}
}

// The clock runs at the pace of the standard library's.
func TestMonotonicClock(t *testing.T) {
	began, start := monotonicNS(), time.Now()
	time.Sleep(20 * time.Millisecond)
	off := time.Duration(monotonicNS()-began) - time.Since(start)
	if off.Abs() > 5*time.Millisecond {
		t.Errorf("off by %v after 20 ms", off)
	}
}
