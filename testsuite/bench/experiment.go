package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"regexp"
	"strings"
	"time"
)

// An experiment is one measurement of each side, and the rows that its figures fill.
type experiment struct {
	name    string
	sides   []string // the first is Weft
	against string   // the side that is the baseline: goroutines if empty
	rounds  func(s scale) int
	measure func(ctx context.Context, b *bench, side string, round int) (figures, error)
	rows    []row
}

// A row is one line of the table.
type row struct {
	name   string
	unit   string
	figure string
	bar    bar
}

// A scale says how long to measure.
type scale struct {
	microRounds int
	echoRounds  int
	idleRounds  int
	warm        time.Duration // load before counting
	window      time.Duration // counted load
	counting    time.Duration // load while counting system calls
	settle      time.Duration // rest before idling is measured
	idle        time.Duration // counted idling
}

var (
	full  = scale{7, 5, 3, time.Second, 3 * time.Second, time.Second, 2 * time.Second, 5 * time.Second}
	short = scale{3, 2, 1, 200 * time.Millisecond, time.Second, 500 * time.Millisecond, time.Second, 2 * time.Second}
)

// A bench is one run of the program.
type bench struct {
	machine   machine
	scale     scale
	reference *reference
	counter   syscallCounter
	progress  io.Writer
}

// A result is all that one experiment found.
type result struct {
	experiment experiment
	values     map[string]map[string]samples // by side, then by figure
	errs       map[string]error              // by side
}

// run measures the sides in turn, round by round. A side that fails is left out of later rounds.
func (b *bench) run(ctx context.Context, e experiment) result {
	res := result{e, map[string]map[string]samples{}, map[string]error{}}
	rounds := e.rounds(b.scale)
	for _, side := range e.sides {
		res.values[side] = map[string]samples{}
	}
	for round := range rounds {
		for _, side := range e.sides {
			var f figures
			if res.errs[side] == nil {
				f, res.errs[side] = e.measure(ctx, b, side, round)
			}
			fmt.Fprintf(b.progress, "%s, round %d of %d, %s: %v\n", e.name, round+1, rounds, side, f)
			for _, r := range e.rows {
				x, ok := f[r.figure]
				if !ok || res.errs[side] != nil {
					x = math.NaN()
				}
				res.values[side][r.figure] = append(res.values[side][r.figure], x)
			}
		}
	}
	return res
}

// matching keeps the experiments and rows whose names match.
func matching(all []experiment, re *regexp.Regexp) []experiment {
	var kept []experiment
	for _, e := range all {
		var rows []row
		for _, r := range e.rows {
			if re.MatchString(r.name) {
				rows = append(rows, r)
			}
		}
		if e.rows = rows; len(rows) > 0 {
			kept = append(kept, e)
		}
	}
	return kept
}

// fill adds the rows of a result to the table and returns the marks they got.
func (res result) fill(t *table) []mark {
	var marks []mark
	for _, r := range res.experiment.rows {
		baseline := res.experiment.against
		if baseline == "" {
			baseline = goroutineName
		}
		weft, other := res.values[weftName][r.figure], res.values[baseline][r.figure]
		ratio := ratios(weft, other)
		m := r.bar.judge(weft.median(), ratio.median())
		marks = append(marks, m)
		t.add(r.name, r.unit,
			number(weft.median()), number(other.median()), number(res.values[referenceName][r.figure].median()),
			number(ratio.median()), spread(ratio), r.bar.String(), string(m))
	}
	return marks
}

// newTable is the table that results fill.
func newTable() *table {
	return &table{
		heading: []string{"row", "unit", weftName, "baseline", referenceName, "ratio", "range", "bar", ""},
		right:   []bool{false, false, true, true, true, true, true, true, false},
	}
}

// spread prints the range of the ratios.
func spread(s samples) string {
	least, greatest := s.spread()
	if math.IsNaN(least) {
		return "-"
	}
	return number(least) + "-" + number(greatest)
}

// notes are the errors of a result, one line each.
func (res result) notes() []string {
	var notes []string
	for _, side := range res.experiment.sides {
		if err := res.errs[side]; err != nil {
			notes = append(notes, fmt.Sprintf("%s, %s: %s", res.experiment.name, side, oneLine(err)))
		}
	}
	return notes
}

// oneLine is the first line of an error.
func oneLine(err error) string {
	s, _, _ := strings.Cut(err.Error(), "\n")
	return s
}
