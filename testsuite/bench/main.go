package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"syscall"
)

func main() {
	var mode childMode
	flag.StringVar(&mode.serve, "serve", "", "child: serve echo on this `engine`")
	flag.StringVar(&mode.micro, "micro", "", "child: make this `measurement`")
	flag.StringVar(&mode.load, "load", "", "child: load the echo server at this `address`")
	flag.StringVar(&mode.engine, "engine", "", "child: the `engine` to measure")
	flag.StringVar(&mode.service, "service", "", "child: serve or load this `service` instead of echo")
	flag.IntVar(&mode.conns, "conns", 1, "child: the `number` of connections")
	rows := flag.String("rows", "", "measure only the rows whose names match this `regexp`")
	brief := flag.Bool("short", false, "measure briefly, to see that it works")
	flag.Parse()

	if mode.serve != "" || mode.micro != "" || mode.load != "" {
		exit(0, mode.run(os.Stdin, os.Stdout))
	}
	re, err := regexp.Compile(*rows)
	if err != nil {
		exit(2, err)
	}
	s := full
	if *brief {
		s = short
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	marks, err := runBench(ctx, matching(experiments, re), s, os.Stdout, os.Stderr)
	stop()
	if err != nil {
		exit(2, err)
	}
	if slices.Contains(marks, fail) || slices.Contains(marks, unmeasured) {
		exit(1, nil)
	}
}

// exit prints the error, if there is one, and ends the process with status 2, or else with code.
func exit(code int, err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		code = 2
	}
	os.Exit(code)
}

// runBench measures the experiments and prints their table to out.
func runBench(ctx context.Context, chosen []experiment, s scale, out, progress io.Writer) ([]mark, error) {
	m, err := thisMachine()
	if err != nil {
		return nil, err
	}
	b := &bench{machine: m, scale: s, reference: buildReference(ctx), counter: findCounter(ctx), progress: progress}
	defer b.reference.remove()

	t := newTable()
	var marks []mark
	notes := []string{m.String()}
	if b.counter == nil {
		notes = append(notes, "system calls are not counted: no performance events, no strace")
	} else {
		notes = append(notes, fmt.Sprintf("system calls counted by %v", b.counter))
	}
	for _, e := range chosen {
		res := b.run(ctx, e)
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		marks = append(marks, res.fill(t)...)
		notes = append(notes, res.notes()...)
	}
	if err := t.print(out); err != nil {
		return nil, err
	}
	for i, note := range notes {
		if i == 0 {
			note = "\n" + note
		}
		if _, err := fmt.Fprintln(out, note); err != nil {
			return nil, err
		}
	}
	return marks, nil
}
