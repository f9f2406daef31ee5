package main

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// writeTable writes a line per model, then why some have no figures.
func writeTable(out io.Writer, results []result) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "model\tmessages/s\tCPU µs/message\tsystem calls/message\tswitches/message\tthreads\tpeak MiB\t")
	for _, r := range results {
		if r.err != nil {
			fmt.Fprintf(w, "%s\t-\t-\t-\t-\t-\t-\t\n", r.name)
			continue
		}
		calls := "-"
		if r.calls >= 0 {
			calls = fmt.Sprintf("%.2f", r.calls)
		}
		fmt.Fprintf(w, "%s\t%.0f\t%.1f\t%s\t%.2f\t%d\t%.1f\t\n",
			r.name, r.rate(), r.cpu(), calls, r.switches(), r.used.threads, float64(r.used.peak)/(1<<20))
	}
	w.Flush()
	for _, r := range results {
		if r.err != nil {
			fmt.Fprintf(out, "%s: %v\n", r.name, r.err)
		} else if r.countErr != nil {
			fmt.Fprintf(out, "%s: system calls were not counted: %v\n", r.name, r.countErr)
		}
	}
}
