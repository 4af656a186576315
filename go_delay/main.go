// Command go_delay is the upstream that the applications under test call: it
// answers after the wait it is asked for, and counts what it did.
//
//	GET /?waitms=N  waits N ms (0 to 60000), answers {"waited_ms":N}
//	GET /stats      the counters since start or the last reset, as JSON
//	POST /reset     starts the counters anew, answers 204
//
// With -page FILE its counters can also be read from a mapped file, without a
// request (page.go).
//
// Exit status: 0 told to stop, 1 cannot listen, serve or make the page, 2 bad options.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

// host is fixed: nothing here is reachable from another machine, unless -also says where.
const host = "127.0.0.1"

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run serves until it is told to stop and returns the exit status.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	options, err := parseOptions(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		return 2
	}
	stop := stopRequests(options, stdin)
	listener, err := net.Listen("tcp4", net.JoinHostPort(host, strconv.Itoa(options.port)))
	if err != nil {
		fmt.Fprintf(stderr, "go_delay: cannot listen on %s port %d: %v; choose another -port, or 0 for any free one\n",
			host, options.port, err)
		return 1
	}
	counters := newStats(monotonicNS)
	if options.page != "" {
		shown, err := createPage(options.page)
		if err != nil {
			fmt.Fprintf(stderr, "go_delay: cannot make the page: %v\n", err)
			return 1
		}
		counters.showOn(shown)
	}
	server := newServer(options, counters)
	ended := make(chan error, 2)
	if options.also != "" {
		port := strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
		beside, err := net.Listen("tcp4", net.JoinHostPort(options.also, port))
		if err != nil {
			fmt.Fprintf(stderr, "go_delay: cannot listen on %s port %s: %v; choose an address of this machine\n",
				options.also, port, err)
			return 1
		}
		go func() { ended <- server.Serve(beside) }()
	}
	go func() { ended <- server.Serve(listener) }()
	if err := announce(stdout, listener); err != nil {
		fmt.Fprintf(stderr, "go_delay: cannot tell the port on standard output: %v\n", err)
		return 1
	}
	select {
	case <-stop:
		// Close, not Shutdown: waits in flight are abandoned, so that a slow
		// trial never delays the next one.
		_ = server.Close()
		return 0
	case err := <-ended:
		fmt.Fprintf(stderr, "go_delay: stopped serving on %v: %v\n", listener.Addr(), err)
		return 1
	}
}

type options struct {
	port           int
	also           string
	lateMS         int
	keepAliveStdin bool
	page           string
}

// parseOptions reports errors on stderr and returns them; flag.ErrHelp is none.
func parseOptions(args []string, stderr io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("go_delay", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.IntVar(&o.port, "port", 0, "`port` to listen on; 0 lets the system pick")
	flags.StringVar(&o.also, "also", "", "listen at this `address` of the machine too, on the same port")
	flags.IntVar(&o.lateMS, "late-ms", 0,
		"answer that many `ms` later than asked, counted as overshoot; only for tests of the harness")
	flags.StringVar(&o.page, "page", "", "show the counters in this `file` too, mapped; made anew")
	flags.BoolVar(&o.keepAliveStdin, "keep-alive-stdin", false,
		"exit when standard input ends, so as never to outlive the process that started this one")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	var err error
	switch {
	case flags.NArg() > 0:
		err = fmt.Errorf("unexpected argument %q; only options are allowed", flags.Arg(0))
	case o.port < 0 || o.port > 65535:
		err = fmt.Errorf("-port must be from 0 to 65535; found %d", o.port)
	case o.lateMS < 0 || o.lateMS > maxWaitMS:
		err = fmt.Errorf("-late-ms must be from 0 to %d; found %d", maxWaitMS, o.lateMS)
	}
	if err != nil {
		fmt.Fprintf(stderr, "go_delay: %v\n", err)
	}
	return o, err
}

// stopRequests gives a channel that is closed when the server should stop.
func stopRequests(o options, stdin io.Reader) <-chan struct{} {
	stop := make(chan struct{})
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	ended := make(chan struct{})
	if o.keepAliveStdin {
		go func() {
			_, _ = io.Copy(io.Discard, stdin) // an error ends it as surely as EOF
			close(ended)
		}()
	}
	go func() {
		select {
		case <-signals:
		case <-ended:
		}
		close(stop)
	}()
	return stop
}

func newServer(o options, counters *stats) *http.Server {
	return &http.Server{
		Handler: &delayServer{
			queue: newQueue(),
			stats: counters,
			late:  time.Duration(o.lateMS) * time.Millisecond,
		},
		ReadHeaderTimeout: 10 * time.Second,
		// Longer than any pause between trials: closing an idle connection just
		// as a client reuses it would be counted as the client's failure. There
		// is no WriteTimeout, as that would include the wait.
		IdleTimeout: 10 * time.Minute,
	}
}

// ready is the one line on standard output. The port is open by then: the
// reader can connect at once.
type ready struct {
	Schema int    `json:"schema"`
	Host   string `json:"host"`
	Port   int    `json:"port"`
	PID    int    `json:"pid"`
	Go     string `json:"go"`
}

// announce writes the line unbuffered, so there is nothing to flush.
func announce(stdout io.Writer, listener net.Listener) error {
	return json.NewEncoder(stdout).Encode(ready{
		Schema: 1,
		Host:   host,
		Port:   listener.Addr().(*net.TCPAddr).Port,
		PID:    os.Getpid(),
		Go:     runtime.Version(),
	})
}
