package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"
)

// maxServiceUS bounds a service time, in microseconds.
const maxServiceUS = 1_000_000

// queue is a single server that serves whoever came first: a queue whose law is
// known, M/D/1 or M/M/1 under Poisson arrivals, to hold a measurement against.
//
// Nobody sleeps in turn. Each arrival reserves its service after the last one's
// end, and waits until its own is over, so that late timers don't add up.
type queue struct {
	mu     sync.Mutex
	freeAt int64 // when the last one's service ends, on the monotonic clock
	draw   *rand.Rand
}

func newQueue() *queue {
	return &queue{draw: rand.New(rand.NewPCG(1, 2))}
}

// reset forgets who waits. The draws go on: trials with the same service times
// would all be off in the same way.
func (q *queue) reset() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.freeAt = 0
}

// reserve takes the next service; gives when it ends.
func (q *queue) reserve(now int64, mean time.Duration, exponential bool) int64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	service := mean.Nanoseconds()
	if exponential {
		service = int64(float64(service) * q.draw.ExpFloat64())
	}
	q.freeAt = max(q.freeAt, now) + service
	return q.freeAt
}

type served struct {
	US int `json:"service_us"`
}

// serve answers GET /queue?us=N, or &law=exponential, once its turn is over.
func (d *delayServer) serve(w http.ResponseWriter, r *http.Request) {
	us, exponential, err := parseService(r.URL.RawQuery)
	if err != nil {
		d.refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	beganAt := d.stats.begin()
	asked := d.queue.reserve(beganAt, time.Duration(us)*time.Microsecond, exponential) - beganAt
	timer := time.NewTimer(time.Duration(asked))
	defer timer.Stop()
	select {
	case <-timer.C:
		d.stats.serve(beganAt, asked)
		writeJSON(w, http.StatusOK, served{US: us})
	case <-r.Context().Done():
		d.stats.cancel()
	}
}

// parseService takes the mean service time in microseconds, and its law.
func parseService(query string) (us int, exponential bool, err error) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return 0, false, fmt.Errorf("the query %q cannot be read (%v)", query, err)
	}
	given := values.Get("us")
	us, err = strconv.Atoi(given)
	if err != nil || us < 1 || us > maxServiceUS || strconv.Itoa(us) != given {
		return 0, false, fmt.Errorf(
			"us must be a plain decimal integer from 1 to %d; found %q", maxServiceUS, given)
	}
	switch law := values.Get("law"); law {
	case "", "fixed":
		return us, false, nil
	case "exponential":
		return us, true, nil
	default:
		return 0, false, fmt.Errorf("law must be fixed or exponential; found %q", law)
	}
}
