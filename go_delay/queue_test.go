package main

import (
	"sync"
	"testing"
	"time"
)

// Whoever comes while another is served waits for it; who comes later doesn't.
func TestOneIsServedAtATime(t *testing.T) {
	q := newQueue()
	ms := int64(time.Millisecond)
	for _, one := range []struct{ now, want int64 }{
		{100 * ms, 110 * ms}, {101 * ms, 120 * ms}, {115 * ms, 130 * ms}, {200 * ms, 210 * ms},
	} {
		if got := q.reserve(one.now, 10*time.Millisecond, false); got != one.want {
			t.Errorf("who comes at %d is done at %d, want %d", one.now/ms, got/ms, one.want/ms)
		}
	}
}

// Exponential services have the mean asked for, and its square as their variance.
func TestExponentialServices(t *testing.T) {
	q := newQueue()
	const n = 100_000
	var sum, squares float64
	for range n {
		before := max(q.freeAt, 1)
		service := float64(q.reserve(1, time.Microsecond, true) - before)
		sum += service
		squares += service * service
	}
	mean := sum / n
	if mean < 980 || mean > 1020 {
		t.Errorf("mean %v ns, want 1000", mean)
	}
	if ratio := squares / n / (mean * mean); ratio < 1.9 || ratio > 2.1 {
		t.Errorf("mean square over square of the mean is %v, want 2", ratio)
	}
}

// Requests that come together end one after another, and are counted.
func TestQueueAnswers(t *testing.T) {
	server := startServer(t, 0)
	began := time.Now()
	var all sync.WaitGroup
	for range 4 {
		all.Add(1)
		go func() {
			defer all.Done()
			got := ask(t, "GET", server.URL+"/queue?us=20000&law=fixed")
			if got.status != 200 || got.body != `{"service_us":20000}` {
				t.Errorf("got %+v", got)
			}
		}()
	}
	all.Wait()
	if took := time.Since(began); took < 80*time.Millisecond {
		t.Errorf("four of 20 ms took %v", took)
	}
	if s := readStats(t, server); s.Served != 4 {
		t.Errorf("counters: %+v", s)
	}
	for _, query := range []string{"", "?us=0", "?us=1e3", "?us=1000001", "?us=5&law=none"} {
		if got := ask(t, "GET", server.URL+"/queue"+query); got.status != 400 {
			t.Errorf("%q was answered with %+v", query, got)
		}
	}
}
