package main

import "sync"

// stats are the server's counters. One mutex guards them all: at the rates here
// (below 10,000 requests/s) it costs nothing, and it makes
//
//	started = served + cancelled + in flight
//	overshoot count = served
//
// hold exactly in every snapshot, also across a reset.
type stats struct {
	mu        sync.Mutex
	now       func() int64 // monotonic clock, ns
	resetAt   int64        // ns
	changedAt int64        // ns, when inFlight last changed

	started   int64
	served    int64
	cancelled int64
	rejected  int64
	inFlight  int64
	peak      int64
	integral  int64 // request·ns in flight from resetAt to changedAt
	overshoot histogram

	page page // where the counters are shown too; nil: nowhere
}

// snapshot is what GET /stats answers; everything counts from the last reset.
type snapshot struct {
	Schema      int       `json:"schema"`
	MonotonicNS int64     `json:"monotonic_ns"`
	Started     int64     `json:"started"`
	Served      int64     `json:"served"`
	Cancelled   int64     `json:"cancelled"`
	Rejected    int64     `json:"rejected"`
	InFlight    inFlight  `json:"in_flight"`
	Overshoot   overshoot `json:"overshoot_ms"`
}

// inFlight tells how many requests are being waited for. IntegralNS is the time
// integral of that number, so that the average over any window is the
// difference of two snapshots' integrals over that of their MonotonicNS.
type inFlight struct {
	Now        int64   `json:"now"`
	Peak       int64   `json:"peak"`
	Average    float64 `json:"average"`
	IntegralNS int64   `json:"integral_ns"`
}

// overshoot is how much longer than asked the served requests waited, in
// milliseconds; nil (JSON null) when none was served, since 0 would be a lie.
// Buckets is all of it, as [middle in ns, count] of each that is not empty,
// ascending; so the requests served in any window are the difference of two
// snapshots' counts. A bucket's middle is at most 0.4 % off any value in it.
type overshoot struct {
	Count   int64      `json:"count"`
	P50     *float64   `json:"p50"`
	P90     *float64   `json:"p90"`
	P99     *float64   `json:"p99"`
	Max     *float64   `json:"max"`
	Buckets [][2]int64 `json:"buckets"`
}

func newStats(now func() int64) *stats {
	start := now()
	return &stats{now: now, resetAt: start, changedAt: start}
}

// showOn lets the counters be seen on a page, from now on.
func (s *stats) showOn(p page) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.page = p
	s.show()
}

// show brings the page up to date, under the lock of whoever changed a counter.
func (s *stats) show() {
	if s.page != nil {
		s.page.show(s)
	}
}

// advance brings the integral up to now, which it returns (ns). The clock is
// read under the lock, or two requests could see time run backwards.
func (s *stats) advance() int64 {
	now := s.now()
	s.integral += s.inFlight * (now - s.changedAt)
	s.changedAt = now
	return now
}

// begin counts a request as started and returns when that was (ns).
func (s *stats) begin() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.advance()
	s.started++
	s.inFlight++
	s.peak = max(s.peak, s.inFlight)
	s.show()
	return now
}

// serve counts a request begun at beganAt (ns) as served; it had asked to wait
// askedNS.
func (s *stats) serve(beganAt, askedNS int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.advance()
	s.inFlight--
	s.served++
	s.overshoot.record(now - beganAt - askedNS)
	s.show()
}

// cancel counts a begun request as given up by its client.
func (s *stats) cancel() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	s.inFlight--
	s.cancelled++
	s.show()
}

// reject counts a request that was refused and never begun.
func (s *stats) reject() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rejected++
}

// reset starts the counters anew. Requests in flight will end after it, so they
// stay counted as started.
func (s *stats) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	s.resetAt, s.changedAt, s.integral = now, now, 0
	s.started, s.peak = s.inFlight, s.inFlight
	s.served, s.cancelled, s.rejected = 0, 0, 0
	s.overshoot = histogram{}
	s.show()
}

// snapshot reads the counters, exact up to now.
func (s *stats) snapshot() snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.advance()
	average := float64(s.inFlight)
	if elapsed := now - s.resetAt; elapsed > 0 {
		average = float64(s.integral) / float64(elapsed)
	}
	return snapshot{
		Schema:      1,
		MonotonicNS: now,
		Started:     s.started,
		Served:      s.served,
		Cancelled:   s.cancelled,
		Rejected:    s.rejected,
		InFlight:    inFlight{Now: s.inFlight, Peak: s.peak, Average: average, IntegralNS: s.integral},
		Overshoot:   summarise(&s.overshoot),
	}
}

func summarise(h *histogram) overshoot {
	if h.count == 0 {
		return overshoot{Buckets: h.sparse()}
	}
	return overshoot{
		Count:   h.count,
		P50:     inMS(h.percentile(0.50)),
		P90:     inMS(h.percentile(0.90)),
		P99:     inMS(h.percentile(0.99)),
		Max:     inMS(h.max),
		Buckets: h.sparse(),
	}
}

func inMS(ns int64) *float64 {
	ms := float64(ns) / 1e6
	return &ms
}
