// Command iomodels compares ways to serve many connections. It runs one server, which answers in upper
// case, written for each I/O model: blocking threads, non-blocking polling, select, epoll, signal-driven
// I/O, completion (io_uring), Weft's tasks, goroutines. One driver loads each with the same clients,
// checks every answer, cuts clients off by force, and shows what the models cost.
//
//	go run ./apps/iomodels -clients 100 -messages 100 -svg models.svg
//
// To look at one of the servers by other means, run it alone:
//
//	go run ./apps/iomodels serve sigio
//
// It prints its address and serves until its standard input ends.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"
)

func main() {
	err := run(os.Args[1:], os.Stdout)
	var usage usageError
	switch {
	case err == nil:
	case errors.Is(err, flag.ErrHelp):
	case errors.As(err, &usage):
		fmt.Fprintln(os.Stderr, "iomodels:", err)
		os.Exit(2)
	case errors.Is(err, errRefused):
		fmt.Fprintln(os.Stderr, err)
		os.Exit(exitRefused)
	default:
		fmt.Fprintln(os.Stderr, "iomodels:", err)
		os.Exit(1)
	}
}

// A usageError is a mistake in the arguments.
type usageError string

func (e usageError) Error() string { return string(e) }

// run carries out the command line.
func run(args []string, out io.Writer) error {
	if len(args) > 0 && args[0] == "serve" {
		return runServe(args[1:], os.Stdin, out)
	}
	if len(args) > 0 && args[0] == "victim" {
		return runVictim(args[1:], os.Stdin, out)
	}
	var o options
	flags := flag.NewFlagSet("iomodels", flag.ContinueOnError)
	flags.Usage = func() {
		fmt.Fprintf(flags.Output(), "usage: iomodels [flags]\n       iomodels serve MODEL\n\nmodels:\n%s\nflags:\n", describeModels())
		flags.PrintDefaults()
	}
	flags.IntVar(&o.clients, "clients", 100, "connected at a time")
	flags.IntVar(&o.idle, "idle", 0, "further clients that are connected and say nothing")
	flags.IntVar(&o.messages, "messages", 100, "each client sends")
	flags.IntVar(&o.runs, "runs", 3, "times that is done; the fastest is shown, as the one least disturbed by others")
	flags.IntVar(&o.size, "size", 32, "bytes of a message")
	flags.IntVar(&o.cut, "cut", 10, "further clients reset in the middle of a message, and as many killed with their process")
	flags.IntVar(&o.procs, "procs", 1, "GOMAXPROCS of each server; the models of one thread use one")
	flags.StringVar(&o.counter, "count", "auto", "how to count system calls: auto, perf, strace, none")
	flags.DurationVar(&o.limit, "limit", time.Minute, "time for each model")
	names := flags.String("models", "all", "those to run, with commas between them")
	svg := flags.String("svg", "", "write a plot to this file")
	flags.SetOutput(io.Discard) // an error is printed once, by main
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		flags.SetOutput(os.Stderr)
		flags.Usage()
		return err
	} else if err != nil {
		return usageError(err.Error())
	}
	chosen, err := check(o, *names, flags.Args())
	if err != nil {
		return err
	}
	counter, why := findCounter(o.counter)
	results, err := compare(chosen, o, counter)
	fmt.Fprintf(out, "%d clients with %d messages of %d bytes each, every answer checked; %d idle clients\n", o.clients, o.messages, o.size, o.idle)
	fmt.Fprintf(out, "%s\n\n", machine())
	writeTable(out, results)
	switch {
	case counter != nil:
		fmt.Fprintf(out, "\nSystem calls were counted by %s.\n", counter.name)
	case why != nil:
		fmt.Fprintf(out, "\nSystem calls were not counted: %v.\n", why)
	}
	fmt.Fprintln(out)
	charts := chartsOf(results)
	writeBars(out, charts)
	if *svg != "" {
		err = errors.Join(err, os.WriteFile(*svg, []byte(drawSVG(charts)), 0o644))
	}
	return err
}

// compare measures one model after the other. One that fails does not end the comparison, but makes it fail.
func compare(chosen []model, o options, c *counter) ([]result, error) {
	var results []result
	var failed []error
	for _, m := range chosen {
		ctx, cancel := context.WithTimeout(context.Background(), o.limit)
		r := measure(ctx, m, o, c)
		cancel()
		if r.err != nil && !errors.Is(r.err, errRefused) {
			failed = append(failed, fmt.Errorf("%s: %w", m.name, r.err))
		}
		results = append(results, r)
	}
	return results, errors.Join(failed...)
}
