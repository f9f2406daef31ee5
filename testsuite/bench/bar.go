package main

import (
	"fmt"
	"math"
)

// A bar is what the project wants of a row: a bound on Weft's median, or on its ratio to goroutines.
// The zero bar asks for nothing.
type bar struct {
	of    barOf
	least bool // the bound is the least allowed, not the greatest
	bound float64
}

type barOf int

const (
	ofNothing barOf = iota
	ofRatio
	ofValue
)

func ratioAtMost(x float64) bar  { return bar{ofRatio, false, x} }
func ratioAtLeast(x float64) bar { return bar{ofRatio, true, x} }
func valueAtMost(x float64) bar  { return bar{ofValue, false, x} }

// String prints the bar as the table has it.
func (b bar) String() string {
	if b.of == ofNothing {
		return ""
	}
	sign, unit := "<=", ""
	if b.least {
		sign = ">="
	}
	if b.of == ofRatio {
		unit = "x"
	}
	return fmt.Sprintf("%s %s%s", sign, number(b.bound), unit)
}

// A mark says what became of a bar.
type mark string

const (
	noBar      mark = ""
	pass       mark = "pass"
	fail       mark = "FAIL"
	unmeasured mark = "?"
)

// judge compares a row with its bar.
func (b bar) judge(value, ratio float64) mark {
	x := value
	switch b.of {
	case ofNothing:
		return noBar
	case ofRatio:
		x = ratio
	}
	switch {
	case math.IsNaN(x):
		return unmeasured
	case b.least && x >= b.bound, !b.least && x <= b.bound:
		return pass
	default:
		return fail
	}
}
