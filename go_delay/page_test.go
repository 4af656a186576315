package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// wordsOf reads the page as anybody can: from the file.
func wordsOf(t *testing.T, path string) []uint64 {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(content) != pageBytes {
		t.Fatalf("%d bytes, want %d", len(content), pageBytes)
	}
	words := make([]uint64, pageWords)
	for i := range words {
		words[i] = binary.NativeEndian.Uint64(content[8*i:])
	}
	return words
}

func newPage(t *testing.T) (page, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "page.bin")
	p, err := createPage(path)
	if err != nil {
		t.Fatal(err)
	}
	return p, path
}

// Each change is on the page at once, with its instant; a reset starts it anew.
func TestPageShowsTheCounters(t *testing.T) {
	clock := &fakeClock{ns: 1000}
	s := newStats(clock.now)
	p, path := newPage(t)
	if got := wordsOf(t, path); got[wordMagic] != 0 {
		t.Errorf("a page with its magic before it holds anything: %v", got)
	}
	s.showOn(p)
	check := func(when string, started, served, cancelled, inFlight, integral, changedAt uint64) {
		t.Helper()
		want := []uint64{pageMagic, started, served, cancelled, inFlight, integral, changedAt}
		if got := wordsOf(t, path); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", when, got, want)
		}
	}
	check("at first", 0, 0, 0, 0, 0, 1000)
	began := s.begin()
	check("begun", 1, 0, 0, 1, 0, 1000)
	clock.ns = 1100
	s.begin()
	check("two begun", 2, 0, 0, 2, 100, 1100)
	clock.ns = 1150
	s.serve(began, 0)
	check("served", 2, 1, 0, 1, 200, 1150)
	clock.ns = 1200
	s.cancel()
	check("cancelled", 2, 1, 1, 0, 250, 1200)
	s.begin()
	clock.ns = 1300
	s.reset()
	check("reset", 1, 0, 0, 1, 0, 1300)
}

// A reader that takes only settled words sees counters that reconcile, whatever
// is going on.
func TestPageReconcilesUnderConcurrency(t *testing.T) {
	s := newStats(monotonicNS)
	p, _ := newPage(t)
	s.showOn(p)
	var users sync.WaitGroup
	for range 4 {
		users.Add(1)
		go func() {
			defer users.Done()
			for i := range 2000 {
				if began := s.begin(); i%5 == 0 {
					s.cancel()
				} else {
					s.serve(began, 0)
				}
				if i%500 == 499 {
					s.reset()
				}
			}
		}()
	}
	done := make(chan struct{})
	go func() { users.Wait(); close(done) }()
	read := func() (words [pageWords]uint64) {
		for i := range words {
			words[i] = atomic.LoadUint64(&p[i])
		}
		return words
	}
	for {
		select {
		case <-done:
			return
		default:
		}
		got := read()
		if got != read() || got[wordChangedAt] == 0 {
			continue
		}
		if got[wordStarted] != got[wordServed]+got[wordCancelled]+got[wordInFlight] {
			t.Fatalf("started is not served + cancelled + in flight: %v", got)
		}
	}
}

// Whoever has mapped an old page keeps it: the new one is another file.
func TestPageIsMadeAnew(t *testing.T) {
	old, path := newPage(t)
	old[wordStarted] = 7
	again, err := createPage(path)
	if err != nil {
		t.Fatal(err)
	}
	again[wordStarted] = 8
	if got := wordsOf(t, path); old[wordStarted] != 7 || got[wordStarted] != 8 {
		t.Errorf("old %d, new %d; want 7 and 8", old[wordStarted], got[wordStarted])
	}
}

// The program keeps the page, and a page that can't be made is one clear line.
func TestPageOfTheProgram(t *testing.T) {
	path := filepath.Join(t.TempDir(), "page.bin")
	c := startChild(t, "-page", path)
	ask(t, "GET", fmt.Sprintf("http://127.0.0.1:%d/?waitms=1", c.readReady(t).Port))
	if got := wordsOf(t, path); got[wordMagic] != pageMagic || got[wordServed] != 1 {
		t.Errorf("the page holds %v", got)
	}
	c = startChild(t, "-page", filepath.Join(path, "below-a-file"))
	status, _ := c.wait(t)
	message := c.stderr.String()
	if status != 1 || strings.Count(message, "\n") != 1 || !strings.Contains(message, "cannot make the page") {
		t.Errorf("status %d, stderr %q", status, message)
	}
}
