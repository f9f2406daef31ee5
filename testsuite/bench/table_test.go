package main

import (
	"strings"
	"testing"
)

func TestTable(t *testing.T) {
	tab := &table{heading: []string{"row", "n", ""}, right: []bool{false, true, false}}
	tab.add("short", "1", "pass")
	tab.add("a longer à", "12,345", "")
	var out strings.Builder
	if err := tab.print(&out); err != nil {
		t.Fatal(err)
	}
	const want = `
| row        |      n |      |
| ---------- | -----: | ---- |
| short      |      1 | pass |
| a longer à | 12,345 |      |
`
	if got := "\n" + out.String(); got != want {
		t.Errorf("got%swant%s", got, want)
	}
}

func TestNumber(t *testing.T) {
	for x, want := range map[float64]string{
		0:          "0.00",
		0.04:       "0.04",
		1:          "1.00",
		9.994:      "9.99",
		10:         "10",
		12.34:      "12.3",
		99.96:      "100.0",
		100.4:      "100",
		999.6:      "1,000",
		1234.5:     "1,234",
		999999:     "999,999",
		1234567.89: "1,234,568",
		-1234:      "-1,234",
		-0.5:       "-0.50",
	} {
		if got := number(x); got != want {
			t.Errorf("number(%v) is %q, want %q", x, got, want)
		}
	}
	if got := number(nan); got != "-" {
		t.Errorf("number(NaN) is %q, want a dash", got)
	}
}
