// Processes compares one ftpd of two workers with an ftpd of two processes of one worker
// each, in the same run, interleaved.
//
//	go run ./testsuite/bench/processes -rounds 5
//
// The load comes from goroutines of this program, which share the machine's processors with
// the servers. Units per second say what clients get; units per second of processor time,
// of all processes of the server, say what that costs. The ratio of a row is the median of
// its rounds' ratios.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"text/tabwriter"
	"time"
)

var (
	rounds = flag.Int("rounds", 5, "measure each row so often")
	window = flag.Duration("window", 2*time.Second, "measure for so long each time")
)

// sides are what is compared.
var sides = []struct {
	name string
	args []string
}{
	{"2 processes", []string{"-processes", "2", "-workers", "1"}},
	{"2 workers", []string{"-workers", "2"}},
}

func main() {
	flag.Parse()
	dir, err := os.MkdirTemp("", "weft-bench-")
	if err == nil {
		err = compare(dir)
		os.RemoveAll(dir)
	}
	if err != nil {
		log.Fatal(err)
	}
}

func compare(dir string) error {
	program := filepath.Join(dir, "ftpd")
	if out, err := exec.Command("go", "build", "-o", program, "github.com/weft-go/weft/apps/ftpd").CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	root := filepath.Join(dir, "root")
	if err := os.Mkdir(root, 0o755); err != nil {
		return err
	}
	for name, size := range map[string]int{"small": smallSize, "large": largeSize} {
		if err := os.WriteFile(filepath.Join(root, name), make([]byte, size), 0o644); err != nil {
			return err
		}
	}
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(out, "row\tunit\t%s\t%s\tratio\trange\tratio by CPU time\t\n", sides[0].name, sides[1].name)
	for _, r := range rows {
		rates := make([][]rate, len(sides))
		for range *rounds {
			for i, side := range sides {
				found, err := measure(r, program, root, side.args)
				if err != nil {
					return fmt.Errorf("%s, %s: %w", r.name, side.name, err)
				}
				rates[i] = append(rates[i], found)
			}
		}
		var perSecond, perCPU []float64
		for i := range *rounds {
			perSecond = append(perSecond, rates[0][i].perSecond/rates[1][i].perSecond)
			perCPU = append(perCPU, rates[0][i].perCPU/rates[1][i].perCPU)
		}
		ours, theirs := median(seconds(rates[0])), median(seconds(rates[1]))
		fmt.Fprintf(out, "%s\t%s\t%.0f\t%.0f\t%.2f\t%.2f-%.2f\t%.2f\t\n", r.name, r.unit, ours, theirs,
			median(perSecond), slices.Min(perSecond), slices.Max(perSecond), median(perCPU))
	}
	return out.Flush()
}

func seconds(rates []rate) []float64 {
	var all []float64
	for _, r := range rates {
		all = append(all, r.perSecond)
	}
	return all
}

func median(x []float64) float64 {
	sorted := slices.Sorted(slices.Values(x))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
