package debug

import (
	"fmt"
	"io"
	goruntime "runtime"
	"slices"
	"strings"

	"github.com/weft-go/weft/runtime"
)

// WriteRunInfo writes all there is to know about rt, nil for runtime.Default(), and
// the program: the counts of WriteStats, each task with its named locals and stack,
// and the stacks of all other goroutines. It returns w's error. It may be called
// from anywhere, and parks a task. See the package's documentation for what it
// costs.
func WriteRunInfo(w io.Writer, rt *runtime.Runtime) error {
	var b strings.Builder
	rt = orDefault(rt)
	writeStats(&b, rt)
	list, dump := snapshot(rt)
	fmt.Fprintf(&b, "\n%d tasks\n", len(list))
	for _, t := range list {
		b.WriteString("\n")
		writeTask(&b, t)
		delete(dump, t.Goroutine)
	}
	fmt.Fprintf(&b, "\n%d other goroutines\n", len(dump))
	ids := make([]int64, 0, len(dump))
	for id := range dump {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		fmt.Fprintf(&b, "\n%s\n", dump[id].Text)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// WriteTasks writes what Tasks lists: each task with its named locals and stack. It
// returns w's error. It may be called from anywhere, and parks a task.
func WriteTasks(w io.Writer, rt *runtime.Runtime) error {
	var b strings.Builder
	for i, t := range Tasks(rt) {
		if i > 0 {
			b.WriteString("\n")
		}
		writeTask(&b, t)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// WriteStats writes the counts of rt's method Stats, nil for runtime.Default(), and
// the number of the program's goroutines, one per line. It returns w's error, and
// does not park.
func WriteStats(w io.Writer, rt *runtime.Runtime) error {
	var b strings.Builder
	writeStats(&b, orDefault(rt))
	_, err := io.WriteString(w, b.String())
	return err
}

func writeStats(b *strings.Builder, rt *runtime.Runtime) {
	s := rt.Stats()
	for _, line := range []struct {
		name  string
		count uint64
	}{
		{"workers", uint64(s.Workers)},
		{"tasks", uint64(s.Tasks)},
		{"coroutines", uint64(s.Coroutines)},
		{"wakes", s.Wakes},
		{"offloads", uint64(s.Offloads)},
		{"goroutines", uint64(goruntime.NumGoroutine())},
	} {
		fmt.Fprintf(b, "%s %d\n", line.name, line.count)
	}
}
