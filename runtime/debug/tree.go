package debug

import (
	"fmt"
	"io"
	"path"
	"path/filepath"
	goruntime "runtime"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/weft-go/weft/runtime"
)

// Tree writes the tasks of rt, nil for runtime.Default(), as a tree: children below
// their parent and indented, each with what it does, its age, where it was spawned,
// and its named locals. A task whose parent has ended, or that no task spawned,
// begins a tree of its own. Without runtime.Config.TraceTasks that is each task.
//
// Tree returns w's error. It may be called from anywhere, and parks a task.
func Tree(w io.Writer, rt *runtime.Runtime) error {
	var b strings.Builder
	writeTree(&b, withLocals(orDefault(rt)), time.Now())
	_, err := io.WriteString(w, b.String())
	return err
}

// maxIndent keeps the text of long chains of tasks readable, and from growing with
// the square of their length.
const maxIndent = 80

func writeTree(b *strings.Builder, list []Task, now time.Time) {
	listed := make(map[uuid.UUID]bool)
	for _, t := range list {
		if t.Task != nil {
			listed[t.Task.ID()] = true
		}
	}
	children := make(map[uuid.UUID][]Task) // of the zero id: the roots
	for _, t := range list {
		parent := t.Parent
		if !listed[parent] {
			parent = uuid.Nil
		}
		children[parent] = append(children[parent], t)
	}
	for _, siblings := range children {
		slices.SortStableFunc(siblings, func(a, b Task) int { return a.Created.Compare(b.Created) })
	}
	var write func(parent uuid.UUID, prefix string)
	write = func(parent uuid.UUID, prefix string) {
		for _, t := range children[parent] {
			writeNode(b, t, listed[t.Parent], prefix, now)
			if t.Task != nil {
				deeper := prefix
				if len(deeper) < maxIndent {
					deeper += "    "
				}
				write(t.Task.ID(), deeper)
			}
		}
	}
	write(uuid.Nil, "")
}

// writeNode writes what is to be said of one task.
func writeNode(b *strings.Builder, t Task, belowParent bool, prefix string, now time.Time) {
	fmt.Fprintf(b, "%s%v", prefix, t)
	if !t.Created.IsZero() {
		fmt.Fprintf(b, ", age %v", now.Sub(t.Created).Round(time.Millisecond))
	}
	b.WriteString("\n")
	if site := spawnSite(t.Spawned); site != "" {
		fmt.Fprintf(b, "%s  spawned at %s\n", prefix, site)
	}
	if t.Parent != uuid.Nil && !belowParent {
		fmt.Fprintf(b, "%s  parent: task %v, which has ended\n", prefix, t.Parent)
	}
	for _, l := range t.Locals {
		fmt.Fprintf(b, "%s  %s = %s\n", prefix, l.Name, l.Value)
	}
}

// spawnSite returns function and line of the first frame that is not the runtime's.
func spawnSite(stack []uintptr) string {
	if len(stack) == 0 {
		return ""
	}
	frames := goruntime.CallersFrames(stack)
	for {
		frame, more := frames.Next()
		if frame.Function != "" && !ours(frame.Function) {
			return fmt.Sprintf("%s (%s:%d)", path.Base(frame.Function), filepath.Base(frame.File), frame.Line)
		}
		if !more {
			return ""
		}
	}
}

// ours reports whether a function belongs to package runtime or one below it, and
// not to a test of those.
func ours(function string) bool {
	const folder = "github.com/weft-go/weft/runtime"
	rest, ok := strings.CutPrefix(function, folder)
	if !ok || rest == "" || rest[0] != '.' && rest[0] != '/' {
		return false
	}
	pkg, _, _ := strings.Cut(path.Base(function), ".")
	return !strings.HasSuffix(pkg, "_test")
}
