package main

import "testing"

func TestJudge(t *testing.T) {
	for _, tt := range []struct {
		bar          bar
		text         string
		value, ratio float64
		want         mark
	}{
		{bar{}, "", nan, nan, noBar},
		{ratioAtMost(0.6), "<= 0.60x", 99, 0.6, pass},
		{ratioAtMost(0.6), "<= 0.60x", 0, 0.61, fail},
		{ratioAtLeast(1.1), ">= 1.10x", 0, 1.1, pass},
		{ratioAtLeast(1.1), ">= 1.10x", 99, 1.09, fail},
		{valueAtMost(3200), "<= 3,200", 3200, 99, pass},
		{valueAtMost(3200), "<= 3,200", 3201, 0, fail},
		{valueAtMost(2.1), "<= 2.10", nan, 1, unmeasured},
		{ratioAtMost(1), "<= 1.00x", 1, nan, unmeasured},
	} {
		if got := tt.bar.judge(tt.value, tt.ratio); got != tt.want {
			t.Errorf("%v of value %v and ratio %v: got %q, want %q", tt.bar, tt.value, tt.ratio, got, tt.want)
		}
		if got := tt.bar.String(); got != tt.text {
			t.Errorf("got %q, want %q", got, tt.text)
		}
	}
}
