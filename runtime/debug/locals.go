package debug

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/local"
)

const (
	valueBytes    = 200
	localPatience = time.Second
)

// withLocals lists the tasks with their named locals.
func withLocals(rt *runtime.Runtime) []Task {
	infos := rt.Tasks()
	list := make([]Task, len(infos))
	byWorker := make(map[int][]*runtime.Task)
	for i, info := range infos {
		list[i].TaskInfo = info
		if info.State != runtime.TaskHolding { // its worker would not answer
			byWorker[info.Worker] = append(byWorker[info.Worker], info.Task)
		}
	}
	found := locals(rt, byWorker)
	for i := range list {
		list[i].Locals = found[list[i].Task]
	}
	return list
}

// locals returns the values that tasks have. Values may be read on the worker of
// their task only.
func locals(rt *runtime.Runtime, byWorker map[int][]*runtime.Task) map[*runtime.Task][]Local {
	c := &localCensus{missing: len(byWorker), found: make(map[*runtime.Task][]Local)}
	if c.missing == 0 {
		return nil
	}
	c.done = runtime.NewWaiter()
	own := runtime.CurrentWorker()
	for i, tasks := range byWorker {
		w := rt.Workers()[i]
		if w == own {
			c.read(tasks)
		} else if !w.Post(func() { c.read(tasks) }) {
			c.read(nil) // the worker has ended
		}
	}
	// An error means that some are missing, which is no reason to show nothing.
	_ = c.done.ParkUntil("list of locals", runtime.Now().Add(localPatience))
	c.mu.Lock()
	defer c.mu.Unlock()
	found := c.found
	c.found = nil
	return found
}

// localCensus is one call of locals.
type localCensus struct {
	done runtime.Waiter

	mu      sync.Mutex
	found   map[*runtime.Task][]Local // mu guards; nil: nobody waits any more
	missing int                       // mu guards: workers that have not answered
}

// read reads the values that tasks have, on their worker.
func (c *localCensus) read(tasks []*runtime.Task) {
	values := make([][]Local, len(tasks))
	for i, t := range tasks {
		for name, value := range local.Values(t) {
			text := fmt.Sprint(value)
			if len(text) > valueBytes {
				text = strings.ToValidUTF8(text[:valueBytes], "") + "…"
			}
			values[i] = append(values[i], Local{name, text})
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.found == nil {
		return
	}
	for i, t := range tasks {
		if len(values[i]) > 0 {
			c.found[t] = values[i]
		}
	}
	c.missing--
	if c.missing == 0 {
		c.done.Ready()
	}
}
