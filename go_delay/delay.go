package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// maxWaitMS bounds a wait: longer than any trial needs, and a mistyped number
// should be refused rather than waited for.
const maxWaitMS = 60_000

// delayServer answers each request after the wait it asks for.
type delayServer struct {
	stats *stats
	queue *queue
	late  time.Duration // added to every wait; for tests of the harness only
}

// ServeHTTP routes by hand: http.ServeMux redirects unclean paths, and a
// redirect would make two requests of one.
func (d *delayServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/":
		if d.allows(w, r, http.MethodGet) {
			d.wait(w, r)
		}
	case "/queue":
		if d.allows(w, r, http.MethodGet) {
			d.serve(w, r)
		}
	case "/stats":
		if d.allows(w, r, http.MethodGet) {
			writeJSON(w, http.StatusOK, d.stats.snapshot())
		}
	case "/reset":
		if d.allows(w, r, http.MethodPost) {
			d.stats.reset()
			d.queue.reset()
			w.WriteHeader(http.StatusNoContent)
		}
	default:
		d.refuse(w, http.StatusNotFound, fmt.Sprintf(
			"no such path: %q; there are GET /?waitms=N, GET /queue?us=N, GET /stats and POST /reset", r.URL.Path))
	}
}

// wait answers after ?waitms=N. It settles the counters before it writes, so a
// client that has its answer always finds itself counted as served.
func (d *delayServer) wait(w http.ResponseWriter, r *http.Request) {
	ms, err := parseWaitMS(r.URL.RawQuery)
	if err != nil {
		d.refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	asked := time.Duration(ms) * time.Millisecond
	beganAt := d.stats.begin()
	timer := time.NewTimer(asked + d.late)
	defer timer.Stop()
	select {
	case <-timer.C:
		d.stats.serve(beganAt, asked.Nanoseconds())
		writeJSON(w, http.StatusOK, waited{MS: ms})
	case <-r.Context().Done():
		d.stats.cancel()
	}
}

type waited struct {
	MS int `json:"waited_ms"`
}

type refusal struct {
	Error string `json:"error"`
}

func (d *delayServer) allows(w http.ResponseWriter, r *http.Request, method string) bool {
	if r.Method == method {
		return true
	}
	w.Header().Set("Allow", method)
	d.refuse(w, http.StatusMethodNotAllowed, fmt.Sprintf(
		"%s is not allowed on %s; use %s", r.Method, r.URL.Path, method))
	return false
}

func (d *delayServer) refuse(w http.ResponseWriter, status int, message string) {
	d.stats.reject()
	writeJSON(w, status, refusal{Error: message})
}

// parseWaitMS takes the wait in milliseconds from a raw query string. The error
// says what was found and what is allowed. Other parameters are ignored.
func parseWaitMS(query string) (int, error) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return 0, badWait(fmt.Sprintf("the query %q, which cannot be read (%v)", query, err))
	}
	given := values["waitms"]
	switch len(given) {
	case 0:
		return 0, badWait("none")
	case 1:
	default:
		return 0, badWait(fmt.Sprintf("%d of them", len(given)))
	}
	// Written back it must be the same: this leaves out signs, floats, spaces
	// and leading zeros, so that the answer repeats exactly what was asked.
	ms, err := strconv.Atoi(given[0])
	if err != nil || ms < 0 || ms > maxWaitMS || strconv.Itoa(ms) != given[0] {
		return 0, badWait(fmt.Sprintf("%q", given[0]))
	}
	return ms, nil
}

func badWait(found string) error {
	return fmt.Errorf(
		"waitms must be given once, a plain decimal integer from 0 to %d; found %s", maxWaitMS, found)
}

// writeJSON answers with body. A write that fails means the client has gone:
// nobody is left to tell.
func writeJSON(w http.ResponseWriter, status int, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		panic(err) // our own types of numbers and strings always marshal
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(text)
}
