package main

import (
	"fmt"
	"io"
	"math"
	"strings"
	"unicode/utf8"
)

// A table is rows of cells under a heading. It prints as Markdown whose columns also line up as text.
type table struct {
	heading []string
	rows    [][]string
	// right says which columns hold numbers.
	right []bool
}

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

// print writes the table.
func (t *table) print(w io.Writer) error {
	widths := make([]int, len(t.heading))
	for _, row := range append([][]string{t.heading}, t.rows...) {
		for i, cell := range row {
			// Three is the least a Markdown rule may have.
			widths[i] = max(widths[i], utf8.RuneCountInString(cell), 3)
		}
	}
	rule := make([]string, len(widths))
	for i, width := range widths {
		rule[i] = strings.Repeat("-", width)
		if t.right[i] {
			rule[i] = rule[i][1:] + ":"
		}
	}
	for _, row := range append([][]string{t.heading, rule}, t.rows...) {
		var line strings.Builder
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if t.right[i] {
				cell = pad + cell
			} else {
				cell += pad
			}
			line.WriteString("| " + cell + " ")
		}
		if _, err := fmt.Fprintln(w, line.String()+"|"); err != nil {
			return err
		}
	}
	return nil
}

// number prints x with about three significant digits, and nothing for what was not measured.
func number(x float64) string {
	switch a := math.Abs(x); {
	case math.IsNaN(x):
		return "-"
	case a >= 100 || x == math.Trunc(x) && a >= 10:
		return thousands(x)
	case a >= 10:
		return fmt.Sprintf("%.1f", x)
	default:
		return fmt.Sprintf("%.2f", x)
	}
}

// thousands prints x without decimals and with its digits in groups.
func thousands(x float64) string {
	digits := fmt.Sprintf("%.0f", x)
	sign := ""
	if strings.HasPrefix(digits, "-") {
		sign, digits = "-", digits[1:]
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return sign + digits
}
