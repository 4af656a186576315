package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

func startServer(t *testing.T, late time.Duration) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(&delayServer{stats: newStats(monotonicNS), queue: newQueue(), late: late})
	t.Cleanup(server.Close)
	return server
}

type answer struct {
	status int
	header http.Header
	body   string
}

func ask(t *testing.T, method, url string) answer {
	t.Helper()
	request, err := http.NewRequest(method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, string(body)}
}

func readStats(t *testing.T, server *httptest.Server) snapshot {
	t.Helper()
	var s snapshot
	if err := json.Unmarshal([]byte(ask(t, "GET", server.URL+"/stats").body), &s); err != nil {
		t.Fatal(err)
	}
	checkBalance(t, s)
	return s
}

// until polls the counters to a deadline, since the server notices a client that
// has gone only a moment later.
func until(t *testing.T, server *httptest.Server, what string, holds func(snapshot) bool) snapshot {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(2 * time.Millisecond) {
		s := readStats(t, server)
		if holds(s) {
			return s
		}
		if time.Now().After(deadline) {
			t.Fatalf("no snapshot with %s within 5 s; last: %+v", what, s)
		}
	}
}

// The answer comes after the wait, is exactly as promised, and is counted.
func TestWaitsAndAnswers(t *testing.T) {
	server := startServer(t, 0)
	start := time.Now()
	got := ask(t, "GET", server.URL+"/?waitms=30")
	took := time.Since(start)
	if got.status != 200 || got.body != `{"waited_ms":30}` ||
		got.header.Get("Content-Type") != "application/json" {
		t.Errorf("got %+v", got)
	}
	if took < 30*time.Millisecond {
		t.Errorf("answered after %v, asked for 30 ms", took)
	}
	s := readStats(t, server)
	if s.Served != 1 || s.Rejected != 0 || *s.Overshoot.Max > float64(took.Milliseconds()) {
		t.Errorf("counters: %+v", s)
	}
}

// -late-ms makes answers late, and the lateness is counted as overshoot.
func TestLatenessIsOvershoot(t *testing.T) {
	server := startServer(t, 40*time.Millisecond)
	ask(t, "GET", server.URL+"/?waitms=0")
	if s := readStats(t, server); *s.Overshoot.P50 < 39.5 {
		t.Errorf("overshoot %v ms, want 40 or a little more", *s.Overshoot.P50)
	}
}

// Anything but a plain integer in range is refused with what was found.
func TestBadWaitIsRefused(t *testing.T) {
	cases := []struct{ name, query, found string }{
		{"missing", "", "found none"},
		{"other name", "?wait=5", "found none"},
		{"other case", "?waitMS=5", "found none"},
		{"empty", "?waitms=", `found ""`},
		{"no value", "?waitms", `found ""`},
		{"plus sign", "?waitms=%2B5", `found "+5"`},
		{"plus as space", "?waitms=+5", `found " 5"`},
		{"minus sign", "?waitms=-5", `found "-5"`},
		{"minus zero", "?waitms=-0", `found "-0"`},
		{"float", "?waitms=1.5", `found "1.5"`},
		{"exponent", "?waitms=1e3", `found "1e3"`},
		{"hexadecimal", "?waitms=0x10", `found "0x10"`},
		{"underscore", "?waitms=1_000", `found "1_000"`},
		{"leading zero", "?waitms=007", `found "007"`},
		{"unit", "?waitms=5ms", `found "5ms"`},
		{"other digits", "?waitms=%D9%A5", `found "٥"`},
		{"too large", "?waitms=60001", `found "60001"`},
		{"overflow", "?waitms=99999999999999999999", `found "99999999999999999999"`},
		{"twice", "?waitms=5&waitms=5", "found 2 of them"},
		{"bad escape", "?waitms=%zz", "which cannot be read"},
		{"semicolon", "?waitms=5;x=1", "which cannot be read"},
	}
	server := startServer(t, 0)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := ask(t, "GET", server.URL+"/"+c.query)
			var body refusal
			if err := json.Unmarshal([]byte(got.body), &body); err != nil {
				t.Fatalf("%q is not JSON: %v", got.body, err)
			}
			if got.status != 400 || !strings.Contains(body.Error, c.found) ||
				!strings.Contains(body.Error, "plain decimal integer from 0 to 60000") {
				t.Errorf("got %d, %q", got.status, body.Error)
			}
		})
	}
	s := readStats(t, server)
	if s.Rejected != int64(len(cases)) || s.Started != 0 {
		t.Errorf("counters: %+v", s)
	}
}

// Both ends of the range and other parameters are accepted.
func TestGoodWaitIsParsed(t *testing.T) {
	for query, want := range map[string]int{"waitms=0": 0, "waitms=60000": 60000, "x=1&waitms=12": 12} {
		if got, err := parseWaitMS(query); err != nil || got != want {
			t.Errorf("%s: got %d, %v; want %d", query, got, err, want)
		}
	}
}

// Other paths and methods are refused, and never redirected.
func TestOtherPathsAndMethodsAreRefused(t *testing.T) {
	server := startServer(t, 0)
	cases := []struct {
		method, path string
		status       int
		allow        string
	}{
		{"GET", "/other?waitms=0", 404, ""},
		{"GET", "//?waitms=0", 404, ""},
		{"GET", "/stats/", 404, ""},
		{"POST", "/?waitms=0", 405, "GET"},
		{"HEAD", "/?waitms=0", 405, "GET"},
		{"POST", "/stats", 405, "GET"},
		{"GET", "/reset", 405, "POST"},
		{"DELETE", "/reset", 405, "POST"},
	}
	for _, c := range cases {
		got := ask(t, c.method, server.URL+c.path)
		if got.status != c.status || got.header.Get("Allow") != c.allow {
			t.Errorf("%s %s: got %d, Allow %q", c.method, c.path, got.status, got.header.Get("Allow"))
		}
	}
	if s := readStats(t, server); s.Rejected != int64(len(cases)) || s.Started != 0 {
		t.Errorf("counters: %+v", s)
	}
}

// A reset answers 204 without a body and starts the counters anew.
func TestResetOverHTTP(t *testing.T) {
	server := startServer(t, 0)
	ask(t, "GET", server.URL+"/?waitms=0")
	if got := ask(t, "POST", server.URL+"/reset"); got.status != 204 || got.body != "" {
		t.Errorf("got %+v", got)
	}
	if s := readStats(t, server); s.Started != 0 || s.Served != 0 || s.Overshoot.P50 != nil {
		t.Errorf("counters: %+v", s)
	}
}

// Clients that go away are cancelled, never served, and the counters reconcile at
// every moment, also across a reset.
func TestBooksBalanceWithCancellation(t *testing.T) {
	server := startServer(t, 0)
	ctx, leave := context.WithCancel(context.Background())
	defer leave()
	const leaving, staying = 20, 20
	var users sync.WaitGroup
	send := func(ctx context.Context, query string) {
		users.Add(1)
		go func() {
			defer users.Done()
			request, _ := http.NewRequestWithContext(ctx, "GET", server.URL+query, nil)
			if response, err := http.DefaultClient.Do(request); err == nil {
				response.Body.Close()
			}
		}()
	}
	for range leaving {
		send(ctx, "/?waitms=60000")
	}
	until(t, server, "all leaving in flight", func(s snapshot) bool { return s.InFlight.Now == leaving })
	ask(t, "POST", server.URL+"/reset")
	for range staying {
		send(context.Background(), "/?waitms=50")
	}
	leave()
	s := until(t, server, "none in flight", func(s snapshot) bool {
		return s.InFlight.Now == 0 && s.Started == leaving+staying
	})
	users.Wait()
	if s.Cancelled != leaving || s.Served != staying {
		t.Errorf("cancelled %d, served %d; want %d and %d", s.Cancelled, s.Served, leaving, staying)
	}
}
