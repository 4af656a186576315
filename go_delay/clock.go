package main

import _ "unsafe" // for go:linkname

// monotonicNS reads the machine's monotonic clock, in nanoseconds.
//
// The standard library hides the absolute value: time.Time's monotonic reading
// counts from the start of the process. The runtime has it: CLOCK_MONOTONIC on
// Linux, mach_absolute_time on macOS, which is what Python's
// time.monotonic_ns() reads on each, so stamps of all processes compare. The
// runtime promises to keep this name reachable (its source lists the packages
// that rely on it, see go.dev/issue/67401).
//
//go:linkname monotonicNS runtime.nanotime
func monotonicNS() int64
