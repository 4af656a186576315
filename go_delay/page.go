package main

import (
	"fmt"
	"os"
	"sync/atomic"
	"syscall"
	"unsafe"
)

// The page is for the harness to read from outside, ten times a second: an HTTP
// request for each look would be load, and would wait behind the load. It is one
// file of unsigned 64-bit words in native order (bench/run/server/delay_page.py).
const (
	pageBytes = 4096
	pageMagic = 0x3159_414c_4544_584d // "MXDELAY1"
)

// The page's words.
const (
	wordMagic     = iota
	wordStarted   // since the last reset, as all the following
	wordServed    //
	wordCancelled //
	wordInFlight  // now
	wordIntegral  // request·ns in flight, up to changedAt
	wordChangedAt // ns of the monotonic clock; 0: the words are being changed
	pageWords
)

// page is the mapped file. Its owner locks: one writer at a time.
type page []uint64

// createPage makes a new file. One that is there is somebody's map: it is
// removed, not cut short, which would kill whoever reads it with SIGBUS.
func createPage(path string) (page, error) {
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return nil, err
	}
	defer file.Close() // the map stays
	// Written, not only made that long: a hole in a mapped file kills the
	// process when the disk is full at the time it is written to.
	if _, err := file.Write(make([]byte, pageBytes)); err != nil {
		return nil, err
	}
	mapped, err := syscall.Mmap(
		int(file.Fd()), 0, pageBytes, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("cannot map %s: %w", path, err)
	}
	return unsafe.Slice((*uint64)(unsafe.Pointer(&mapped[0])), pageWords), nil
}

// show writes the counters. A reader takes the words only if it finds them the
// same twice with changedAt not 0, so it never mixes two states: atomic stores
// are seen in their order.
func (p page) show(s *stats) {
	atomic.StoreUint64(&p[wordChangedAt], 0)
	atomic.StoreUint64(&p[wordStarted], uint64(s.started))
	atomic.StoreUint64(&p[wordServed], uint64(s.served))
	atomic.StoreUint64(&p[wordCancelled], uint64(s.cancelled))
	atomic.StoreUint64(&p[wordInFlight], uint64(s.inFlight))
	atomic.StoreUint64(&p[wordIntegral], uint64(s.integral))
	atomic.StoreUint64(&p[wordChangedAt], uint64(s.changedAt))
	atomic.StoreUint64(&p[wordMagic], pageMagic)
}
