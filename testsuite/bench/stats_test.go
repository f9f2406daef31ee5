package main

import (
	"math"
	"testing"
)

var nan = math.NaN()

// same compares floats, NaN with NaN too.
func same(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }

func TestMedianAndSpread(t *testing.T) {
	for _, tt := range []struct {
		in                      samples
		median, least, greatest float64
	}{
		{nil, nan, nan, nan},
		{samples{nan, nan}, nan, nan, nan},
		{samples{7}, 7, 7, 7},
		{samples{3, 1}, 2, 1, 3},
		{samples{9, 1, 2}, 2, 1, 9},
		{samples{9, nan, 1, 2}, 2, 1, 9},
		{samples{4, 1, 3, 2}, 2.5, 1, 4},
		{samples{5, 5, 5, 100}, 5, 5, 100},
	} {
		if got := tt.in.median(); !same(got, tt.median) {
			t.Errorf("median of %v is %v, want %v", tt.in, got, tt.median)
		}
		least, greatest := tt.in.spread()
		if !same(least, tt.least) || !same(greatest, tt.greatest) {
			t.Errorf("spread of %v is %v-%v, want %v-%v", tt.in, least, greatest, tt.least, tt.greatest)
		}
	}
}

// TestMedianKeepsOrder makes sure that rounds stay lined up after their median was taken.
func TestMedianKeepsOrder(t *testing.T) {
	s := samples{3, 1, 2}
	s.median()
	if s[0] != 3 || s[1] != 1 || s[2] != 2 {
		t.Errorf("median sorted its input: %v", s)
	}
}

func TestRatios(t *testing.T) {
	got := ratios(samples{1, 6, nan, 5, 0}, samples{2, 3, 1, 0, 0, 9})
	want := samples{0.5, 2, nan, nan, nan}
	if len(got) != len(want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	for i := range got {
		if !same(got[i], want[i]) {
			t.Errorf("got %v, want %v", got, want)
		}
	}
	// A drift that hits both sides of a round alike leaves the ratio alone.
	if got := ratios(samples{10, 20, 90}, samples{20, 40, 180}).median(); got != 0.5 {
		t.Errorf("got %v, want 0.5", got)
	}
}
