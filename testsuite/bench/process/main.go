// Process compares package runtime/process with CPython's multiprocessing: the same rows in
// the same run, one after the other, the best of several rounds for each.
//
//	go run ./testsuite/bench/process -rounds 5
//
// Without python3 only our own figures are printed.
package main

import (
	"bufio"
	"bytes"
	_ "embed"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/process"
)

//go:embed peer.py
var peer string

var (
	rounds = flag.Int("rounds", 3, "rounds, of which the best counts")
	scale  = flag.Int("scale", 1, "measure so many times less")
	python = flag.String("python", "python3", "the peer's interpreter")
)

func main() {
	process.Init()
	flag.Parse()
	runtime.Main(func() {
		defer process.Shutdown()
		ours, theirs := make(map[string]float64), make(map[string]float64)
		for range *rounds {
			for _, r := range rows {
				rate, err := r.measure(max(r.n / *scale, 10))
				if err != nil {
					log.Fatalf("%s: %v", r.name, err)
				}
				ours[r.name] = max(ours[r.name], rate)
			}
			rates, err := runPeer()
			if err != nil {
				fmt.Fprintln(os.Stderr, "no peer:", err)
			}
			for name, rate := range rates {
				theirs[name] = max(theirs[name], rate)
			}
		}
		print(ours, theirs)
	})
}

// runPeer runs the same rows in Python, off the worker.
func runPeer() (map[string]float64, error) {
	out, err := runtime.Await(func() ([]byte, error) {
		cmd := exec.Command(*python, "-", strconv.Itoa(*scale))
		// A file, not standard input: it starts itself again in some start methods.
		script, err := os.CreateTemp("", "weft-peer-*.py")
		if err != nil {
			return nil, err
		}
		defer func() { _ = os.Remove(script.Name()) }()
		if _, err := script.WriteString(peer); err != nil {
			return nil, err
		}
		if err := script.Close(); err != nil {
			return nil, err
		}
		cmd.Args[1] = script.Name()
		cmd.Stderr = os.Stderr
		return cmd.Output()
	})
	if err != nil {
		return nil, err
	}
	rates := make(map[string]float64)
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		f := strings.Fields(lines.Text())
		if len(f) != 3 {
			return nil, fmt.Errorf("line %q", lines.Text())
		}
		n, err := strconv.ParseFloat(f[1], 64)
		if err != nil {
			return nil, err
		}
		seconds, err := strconv.ParseFloat(f[2], 64)
		if err != nil {
			return nil, err
		}
		rates[f[0]] = n / seconds
	}
	return rates, nil
}

func print(ours, theirs map[string]float64) {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "row\tweft /s\tmultiprocessing /s\tratio\t")
	for _, r := range rows {
		their, ratio := "-", "-"
		// A row of ours that has a variant is compared with the same of theirs.
		if rate := theirs[strings.TrimSuffix(r.name, "-into")]; rate > 0 {
			their, ratio = fmt.Sprintf("%.0f", rate), fmt.Sprintf("%.1f", ours[r.name]/rate)
		}
		fmt.Fprintf(w, "%s\t%.0f\t%s\t%s\t\n", r.name, ours[r.name], their, ratio)
	}
	_ = w.Flush()
}
