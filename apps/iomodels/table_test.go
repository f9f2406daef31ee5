package main

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// TestTable shows a row with all figures, one that lacks the count, and one that lacks all.
func TestTable(t *testing.T) {
	var out strings.Builder
	writeTable(&out, []result{
		{name: "a", messages: 1000, elapsed: time.Second / 2, calls: 2.25,
			used: usage{cpu: 5 * time.Millisecond, switches: 100, threads: 4, peak: 3 << 19}},
		{name: "b", messages: 1000, elapsed: time.Second, calls: -1, countErr: errors.New("no fingers")},
		{name: "c", err: errors.New("no server")},
	})
	const want = `  model  messages/s  CPU µs/message  system calls/message  switches/message  threads  peak MiB
      a        2000             5.0                  2.25              0.10        4       1.5
      b        1000             0.0                     -              0.00        0       0.0
      c           -               -                     -                 -        -         -
b: system calls were not counted: no fingers
c: no server
`
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}
