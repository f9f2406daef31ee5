// Http compares servers of HTTP under wrk: our net/http in tasks, the standard library's, and
// fasthttp on goroutines and in tasks. They take turns in the same run; what counts is requests per
// second of the server's processor time.
//
//	go run ./testsuite/bench/http -rounds 5
//
// Each server is a process with one thread that runs Go code, on one processor; wrk is on another.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"slices"
	"text/tabwriter"
	"time"
)

var (
	rounds   = flag.Int("rounds", 3, "rounds, of which the median counts")
	duration = flag.Duration("duration", 3*time.Second, "of a measurement")
	conns    = flag.Int("conns", 50, "connections")
	child    = flag.String("serve", "", "serve as this one does, until standard input ends")
	profile  = flag.String("profile", "", "write a CPU profile of the server to this file")
)

func main() {
	flag.Parse()
	if *child != "" {
		if err := serve(*child, *profile); err != nil {
			log.Fatal(err)
		}
		return
	}
	if _, err := exec.LookPath("wrk"); err != nil {
		fmt.Fprintln(os.Stderr, "wrk is not installed, so nothing is measured")
		return
	}
	rates := make(map[string][]float64)
	for range *rounds {
		for _, s := range servers {
			for _, r := range requests {
				rate, err := measure(s.name, r)
				if err != nil {
					log.Fatalf("%s, %s: %v", s.name, r.name, err)
				}
				rates[s.name+r.name] = append(rates[s.name+r.name], rate)
			}
		}
	}
	print(rates)
}

// print prints a table of medians, and of the ratios of the rounds, as their medians.
func print(rates map[string][]float64) {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 1, ' ', tabwriter.AlignRight|tabwriter.Debug)
	for _, r := range requests {
		fmt.Fprintf(w, "%s\trequests/CPU s\tx net/http\tx fasthttp\t\n", r.name)
		for _, s := range servers {
			own := rates[s.name+r.name]
			fmt.Fprintf(w, "%s\t%.0f\t%.2f\t%.2f\t\n", s.name, median(own),
				ratio(own, rates["net/http"+r.name]), ratio(own, rates["fasthttp"+r.name]))
		}
	}
	_ = w.Flush()
}

func ratio(a, b []float64) float64 {
	quotients := make([]float64, len(a))
	for i := range a {
		quotients[i] = a[i] / b[i]
	}
	return median(quotients)
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}
