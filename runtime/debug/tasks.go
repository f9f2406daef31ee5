package debug

import (
	"fmt"
	"strings"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/internal/stacks"
)

// Task is a task with its stack.
type Task struct {
	runtime.TaskInfo

	// Stack is its frames as Go prints them, from where it is down to its function;
	// empty before its start.
	Stack string

	// Locals are the values of variables made by local.Named, in the order of those
	// calls.
	Locals []Local
}

// Local is the value of a task-local variable.
type Local struct {
	Name  string
	Value string // as fmt.Sprint has it, at most 200 bytes of it
}

// stackBytes bounds the text of the stacks.
const stackBytes = 64 << 20

// Tasks lists the tasks of rt, nil for runtime.Default(), as its own method Tasks
// does, with their stacks and named locals. It may be called from anywhere, parks a
// task, and takes about a second if a worker does not answer. See the package's
// documentation for what it costs.
func Tasks(rt *runtime.Runtime) []Task {
	list, _ := snapshot(orDefault(rt))
	return list
}

// snapshot returns the tasks, and all stacks of the program.
func snapshot(rt *runtime.Runtime) ([]Task, stacks.Dump) {
	list := withLocals(rt)
	dump, _ := stacks.Take(stackBytes)
	for i := range list {
		t := &list[i]
		switch t.State {
		case runtime.TaskNotStarted:
		case runtime.TaskRunning, runtime.TaskHolding:
			s, _ := dump.Holder(t.Goroutine)
			t.Stack = s.Frames()
		default:
			t.Stack = dump[t.Goroutine].Frames()
		}
	}
	return list, dump
}

func orDefault(rt *runtime.Runtime) *runtime.Runtime {
	if rt == nil {
		return runtime.Default()
	}
	return rt
}

// indent puts prefix before each line of text.
func indent(text, prefix string) string {
	return prefix + strings.ReplaceAll(text, "\n", "\n"+prefix)
}

// writeTask writes a task with its locals and stack.
func writeTask(b *strings.Builder, t Task) {
	fmt.Fprintln(b, t)
	for _, l := range t.Locals {
		fmt.Fprintf(b, "  %s = %s\n", l.Name, l.Value)
	}
	if t.Stack != "" {
		fmt.Fprintln(b, indent(t.Stack, "  "))
	}
}
