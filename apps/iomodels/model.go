package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// A model is the server written in one way. serve listens on a port of its own, passes its address to
// announce, and serves until it fails.
type model struct {
	name  string
	about string
	most  int    // connections it can have; 0: no limit of its own
	bound string // what limits them
	serve func(announce func(address string)) error
}

var models = []model{
	{name: "threads", about: "a blocking thread per connection", serve: serveThreads,
		most: 8000, bound: "Go ends a program with more than 10,000 threads"},
	{name: "polling", about: "one thread asks every connection in turn", serve: servePolling},
	{name: "select", about: "select(2) tells which are ready", serve: serveSelect,
		most: 1000, bound: "select(2) knows no descriptor above FD_SETSIZE, 1,024"},
	{name: "epoll", about: "epoll tells, through net/selectors", serve: serveEpoll},
	{name: "sigio", about: "a realtime signal tells of each change", serve: serveSIGIO},
	{name: "completion", about: "io_uring reads and writes, and tells when it is done", serve: serveCompletion,
		most: maxOperations, bound: "its queue is made for so many operations"},
	{name: "tasks", about: "a task of Weft per connection", serve: serveTasks},
	{name: "goroutines", about: "a goroutine per connection, std net", serve: serveGoroutines},
}

// modelNames lists the names with commas.
func modelNames() string {
	var names []string
	for _, m := range models {
		names = append(names, m.name)
	}
	return strings.Join(names, ",")
}

// describeModels lists them, a line each.
func describeModels() string {
	var b strings.Builder
	for _, m := range models {
		fmt.Fprintf(&b, "  %-10s  %s\n", m.name, m.about)
	}
	return b.String()
}

// modelsNamed finds models by a list of names with commas, or "all".
func modelsNamed(list string) ([]model, error) {
	if list == "all" {
		return models, nil
	}
	var found []model
names:
	for name := range strings.SplitSeq(list, ",") {
		for _, m := range models {
			if m.name == name {
				found = append(found, m)
				continue names
			}
		}
		return nil, usageError(fmt.Sprintf("no model %q; there are %s", name, modelNames()))
	}
	return found, nil
}

// errRefused is the error of a model that this kernel does not offer, and exitRefused the status of its
// process.
var errRefused = errors.New("this kernel refuses it")

const exitRefused = 3

// runServe is "iomodels serve MODEL".
func runServe(args []string, stdin io.Reader, stdout io.Writer) error {
	m, err := modelsNamed(strings.Join(args, ","))
	if err != nil {
		return err
	}
	if len(m) != 1 {
		return usageError("serve takes the name of one model")
	}
	// Where only a parent may trace its children (Yama), this lets strace, a sibling, do so. Elsewhere the
	// call is unknown, and not needed.
	_ = unix.Prctl(unix.PR_SET_PTRACER, unix.PR_SET_PTRACER_ANY, 0, 0, 0)
	go func() {
		_, _ = io.Copy(io.Discard, stdin)
		os.Exit(0)
	}()
	return m[0].serve(func(address string) { fmt.Fprintln(stdout, address) })
}
