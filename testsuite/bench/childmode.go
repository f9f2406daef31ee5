package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	goruntime "runtime"
	"runtime/debug"
	"time"

	"github.com/weft-go/weft/testsuite/bench/load"
)

// childLimit is how long a child that is this program may live at most, should its parent vanish.
const childLimit = 5 * time.Minute

// A childMode says what a child does; exactly one of the first three names is set.
type childMode struct {
	serve string // the engine to serve on
	micro string // the measurement to make
	load  string // the address to load

	engine  string // for micro
	service string // for serve and load: empty for echo
	conns   int    // for load, and a hint for serve
}

// run does the child's part and returns when it is done.
func (m childMode) run(stdin io.Reader, stdout io.Writer) error {
	time.AfterFunc(childLimit, func() {
		fmt.Fprintln(os.Stderr, "child process: its time is up")
		os.Exit(3)
	})
	switch {
	case m.serve != "":
		return m.runServe(stdin, stdout)
	case m.micro != "":
		return m.runMicro(stdout)
	default:
		return m.runLoad(stdin, stdout)
	}
}

// runServe prints the address and serves until standard input ends.
func (m childMode) runServe(stdin io.Reader, stdout io.Writer) error {
	if err := raiseFileLimit(m.conns); err != nil {
		return err
	}
	go func() {
		// Reading until the end, whatever the error that ends it, is all there is to wait for.
		_, _ = io.Copy(io.Discard, stdin)
		os.Exit(0)
	}()
	announce := func(addr string) { fmt.Fprintln(stdout, addr) }
	if serve := echoServers[m.serve]; serve != nil {
		return serve(announce)
	}
	e, err := engineNamed(m.serve)
	if err != nil {
		return err
	}
	if m.service != "" {
		return e.run(service(m.service), announce)
	}
	return e.serve(announce)
}

// runMicro prints the figures.
func (m childMode) runMicro(stdout io.Writer) error {
	e, err := engineNamed(m.engine)
	if err != nil {
		return err
	}
	f, err := measureMicro(m.micro, e)
	if err != nil {
		return err
	}
	return json.NewEncoder(stdout).Encode(f)
}

// A loadOrder asks a load child to load the server for a window.
type loadOrder struct {
	Warm, Length time.Duration
	ServerPID    int
}

// A loadReport is what it saw.
type loadReport struct {
	load.Result
	ServerCPU time.Duration // used by the server within the counted part
}

// runLoad connects, prints "ready", and answers each order with a report until standard input ends.
func (m childMode) runLoad(stdin io.Reader, stdout io.Writer) error {
	if m.service != "" {
		d := &driver{service: service(m.service), address: m.load}
		if err := d.start(); err != nil {
			return err
		}
		return answerOrders(stdin, stdout, d.carryOut)
	}
	goruntime.LockOSThread()
	// Nothing is allocated while loading; this keeps it that way.
	debug.SetGCPercent(-1)
	if err := raiseFileLimit(m.conns); err != nil {
		return err
	}
	c, err := load.Dial(m.load, m.conns)
	if err != nil {
		return err
	}
	defer c.Close()
	return answerOrders(stdin, stdout, func(order loadOrder) (loadReport, error) { return carryOut(c, order) })
}

// answerOrders says "ready", and then answers orders.
func answerOrders(stdin io.Reader, stdout io.Writer, carryOut func(loadOrder) (loadReport, error)) error {
	fmt.Fprintln(stdout, "ready")
	out := json.NewEncoder(stdout)
	for orders := bufio.NewScanner(stdin); orders.Scan(); {
		var order loadOrder
		if err := json.Unmarshal(orders.Bytes(), &order); err != nil {
			return fmt.Errorf("order %q: %w", orders.Bytes(), err)
		}
		report, err := carryOut(order)
		if err != nil {
			return err
		}
		if err := out.Encode(report); err != nil {
			return err
		}
	}
	return nil
}

// carryOut loads the server and reads its CPU clock at both edges of the window.
func carryOut(c *load.Client, order loadOrder) (loadReport, error) {
	var edges []time.Duration
	var clockErr error
	res, err := c.Run(load.Window{Warm: order.Warm, Length: order.Length, Edge: func() {
		used, err := cpuTime(order.ServerPID)
		if err != nil {
			clockErr = err
		}
		edges = append(edges, used)
	}})
	if err != nil {
		return loadReport{}, err
	}
	return loadReport{Result: res, ServerCPU: edges[1] - edges[0]}, clockErr
}
