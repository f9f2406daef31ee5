package main

import (
	"maps"
	"math"
	"slices"
	"strings"
)

// figures are what one measurement of one side found, by name.
type figures map[string]float64

// String lists them for the record of a run.
func (f figures) String() string {
	if len(f) == 0 {
		return "nothing measured"
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(f)) {
		parts = append(parts, name+" "+number(f[name]))
	}
	return strings.Join(parts, ", ")
}

// samples are the values of one figure of one side, one per round. A round that did not measure it
// holds NaN, so that the rounds of two sides stay lined up.
type samples []float64

// measured are the values that exist.
func (s samples) measured() []float64 {
	return slices.DeleteFunc(slices.Clone(s), math.IsNaN)
}

// median returns the middle value, or the mean of the two middle ones, and NaN of nothing.
func (s samples) median() float64 {
	v := s.measured()
	if len(v) == 0 {
		return math.NaN()
	}
	slices.Sort(v)
	mid := len(v) / 2
	if len(v)%2 == 1 {
		return v[mid]
	}
	return (v[mid-1] + v[mid]) / 2
}

// spread returns the least and the greatest value, and NaNs of nothing.
func (s samples) spread() (least, greatest float64) {
	v := s.measured()
	if len(v) == 0 {
		return math.NaN(), math.NaN()
	}
	return slices.Min(v), slices.Max(v)
}

// ratios divides round by round. Rounds that lack either value, or divide by nothing, are NaN.
func ratios(a, b samples) samples {
	r := make(samples, min(len(a), len(b)))
	for i := range r {
		r[i] = a[i] / b[i]
		if math.IsInf(r[i], 0) {
			r[i] = math.NaN()
		}
	}
	return r
}
