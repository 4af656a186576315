package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// asServer makes this test binary be the server: real processes, nothing to build.
const asServer = "GO_DELAY_TEST_AS_SERVER"

func TestMain(m *testing.M) {
	if os.Getenv(asServer) != "" {
		main()
	}
	os.Exit(m.Run())
}

// child is a server process under test.
type child struct {
	command *exec.Cmd
	stdin   io.WriteCloser
	stdout  *bufio.Reader
	stderr  *bytes.Buffer
}

func startChild(t *testing.T, args ...string) *child {
	t.Helper()
	c := &child{command: exec.Command(os.Args[0], args...), stderr: &bytes.Buffer{}}
	// Under -race a process sleeps for a second at its end unless told not to.
	c.command.Env = append(os.Environ(), asServer+"=1", "GORACE=atexit_sleep_ms=0")
	c.command.Stderr = c.stderr
	var err error
	if c.stdin, err = c.command.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	stdout, err := c.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.stdout = bufio.NewReader(stdout)
	if err := c.command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.command.Process.Kill() })
	return c
}

func (c *child) readReady(t *testing.T) ready {
	t.Helper()
	line, err := c.stdout.ReadString('\n')
	if err != nil {
		t.Fatalf("no line on stdout: %v; stderr: %s", err, c.stderr)
	}
	var r ready
	if err := json.Unmarshal([]byte(line), &r); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	return r
}

// wait gives the exit status and the rest of stdout; it fails after 10 s.
func (c *child) wait(t *testing.T) (int, string) {
	t.Helper()
	timer := time.AfterFunc(10*time.Second, func() { _ = c.command.Process.Kill() })
	defer timer.Stop()
	rest, _ := io.ReadAll(c.stdout)
	err := c.command.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return c.command.ProcessState.ExitCode(), string(rest)
}

// The one line on stdout says where the server listens, and it does.
func TestAnnouncesItself(t *testing.T) {
	c := startChild(t)
	r := c.readReady(t)
	want := ready{Schema: 1, Host: "127.0.0.1", Port: r.Port, PID: c.command.Process.Pid, Go: runtime.Version()}
	if r != want || r.Port == 0 {
		t.Errorf("got %+v, want %+v", r, want)
	}
	if got := ask(t, "GET", fmt.Sprintf("http://127.0.0.1:%d/?waitms=1", r.Port)); got.status != 200 {
		t.Errorf("got %+v", got)
	}
}

// A signal ends it at once with status 0, whatever is in flight.
func TestStopsAtOnceOnSignals(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(sig.String(), func(t *testing.T) {
			c := startChild(t)
			url := fmt.Sprintf("http://127.0.0.1:%d", c.readReady(t).Port)
			go func() {
				if response, err := http.Get(url + "/?waitms=60000"); err == nil {
					response.Body.Close()
				}
			}()
			for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(2 * time.Millisecond) {
				if strings.Contains(ask(t, "GET", url+"/stats").body, `"in_flight":{"now":1`) {
					break
				}
				if time.Now().After(deadline) {
					t.Fatal("the request was not in flight within 5 s")
				}
			}
			start := time.Now()
			if err := c.command.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
			status, rest := c.wait(t)
			if status != 0 || rest != "" || c.stderr.Len() > 0 {
				t.Errorf("status %d, stdout %q, stderr %q", status, rest, c.stderr)
			}
			// It takes 200 ms at most; the rest is for a busy machine.
			if took := time.Since(start); took > time.Second {
				t.Errorf("took %v to stop", took)
			}
		})
	}
}

// With -keep-alive-stdin the end of standard input ends the server.
func TestStopsWhenStdinEnds(t *testing.T) {
	c := startChild(t, "-keep-alive-stdin")
	c.readReady(t)
	c.stdin.Close()
	if status, _ := c.wait(t); status != 0 {
		t.Errorf("status %d, stderr %q", status, c.stderr)
	}
}

// Without it the server outlives its standard input.
func TestIgnoresStdinUnlessTold(t *testing.T) {
	c := startChild(t)
	r := c.readReady(t)
	c.stdin.Close()
	if got := ask(t, "GET", fmt.Sprintf("http://127.0.0.1:%d/?waitms=100", r.Port)); got.status != 200 {
		t.Errorf("got %+v", got)
	}
}

// A port in use is one clear line and status 1.
func TestCannotListen(t *testing.T) {
	taken, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := fmt.Sprint(taken.Addr().(*net.TCPAddr).Port)
	c := startChild(t, "-port", port)
	status, rest := c.wait(t)
	message := c.stderr.String()
	if status != 1 || rest != "" || strings.Count(message, "\n") != 1 ||
		!strings.Contains(message, "cannot listen on 127.0.0.1 port "+port) {
		t.Errorf("status %d, stdout %q, stderr %q", status, rest, message)
	}
}

// Options that are unknown or out of range are status 2 and name the culprit.
func TestBadOptions(t *testing.T) {
	cases := map[string][]string{
		"-nonsense":                 {"-nonsense"},
		"-port must be from 0":      {"-port", "65536"},
		"-late-ms must be from 0":   {"-late-ms", "-1"},
		`unexpected argument "now"`: {"now"},
	}
	for want, args := range cases {
		var stdout, stderr bytes.Buffer
		status := run(args, strings.NewReader(""), &stdout, &stderr)
		if status != 2 || stdout.Len() > 0 || !strings.Contains(stderr.String(), want) {
			t.Errorf("%v: status %d, stdout %q, stderr %q", args, status, &stdout, &stderr)
		}
	}
}

// -h explains and is no error.
func TestHelp(t *testing.T) {
	var stdout, stderr bytes.Buffer
	if status := run([]string{"-h"}, strings.NewReader(""), &stdout, &stderr); status != 0 ||
		!strings.Contains(stderr.String(), "only for tests of the harness") {
		t.Errorf("status %d, stderr %q", status, &stderr)
	}
}
