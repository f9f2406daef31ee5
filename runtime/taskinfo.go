package runtime

import (
	"fmt"
	goruntime "runtime"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
)

// A TaskState says what a task does.
type TaskState uint8

const (
	TaskNotStarted TaskState = iota // it is ready to run for the first time
	TaskReady                       // it is ready to go on
	TaskRunning                     // it is the one that asks
	TaskWaiting                     // it is parked
	TaskDelayed                     // SpawnAfter or StartAfter will start it

	// TaskHolding is the state of the one task that is listed for a worker which
	// does not answer, because that task holds it.
	TaskHolding
)

func (s TaskState) String() string {
	return [...]string{"has not started", "is ready", "is running", "waits", "is to start later", "holds the worker"}[s]
}

// TaskInfo describes a task at some recent instant: see Runtime.Tasks.
type TaskInfo struct {
	Task   *Task // nil if State is TaskHolding and a callback holds the worker
	Worker int
	State  TaskState
	Reason string // what it waits for, with TaskWaiting

	// Goroutine is the id of the goroutine on which the task runs, by which it is
	// found in Go's own listings, 0 before its start; a greenlet or generator of the
	// task runs on another. It will run other tasks later.
	Goroutine int64
	co        *coroutine // until that is looked up

	// With Config.TraceTasks only:

	Parent  uuid.UUID // ID of the task that spawned it; zero if no task did
	Created time.Time
	Spawned []uintptr // the stack of its Spawn, for goruntime.CallersFrames
}

// String says in a line which task it is, where it is and what it does.
func (i TaskInfo) String() string {
	who := "a callback"
	if i.Task != nil {
		who = i.Task.String()
	}
	text := fmt.Sprintf("%s on worker %d %v", who, i.Worker, i.State)
	switch i.State {
	case TaskWaiting:
		text += ": " + i.Reason
	case TaskHolding:
		text += ", which does not answer"
	}
	return text
}

// origin is what Config.TraceTasks makes a task remember.
type origin struct {
	parent uuid.UUID // not a pointer: it would keep a task's ancestors in memory
	at     time.Time
	stack  []uintptr
}

// newOrigin is called in the one who spawns or starts a task.
func newOrigin() *origin {
	o := &origin{at: time.Now()}
	if parent := Current(); parent != nil {
		o.parent = parent.ID()
	}
	var pcs [32]uintptr
	n := goruntime.Callers(3, pcs[:]) // without Callers, newOrigin and its caller
	o.stack = slices.Clone(pcs[:n])
	return o
}

// listPatience is how long Tasks waits for the workers.
const listPatience = time.Second

// Tasks lists every task that was spawned and has not ended, by worker, the
// oldest first. It asks all workers at once and waits for their answers, at most
// a second. Of a worker that does not answer only the task that holds it is
// listed, as TaskHolding.
//
// Tasks may be called from anywhere. It parks a task; if that is interrupted
// meanwhile, workers that have not answered are left out. On a hub, which must not
// wait, it lists that worker's tasks only.
func (rt *Runtime) Tasks() []TaskInfo {
	own := current()
	if own != nil && own.task == nil {
		var list []TaskInfo
		if own.w.rt == rt {
			list = own.w.describeTasks(nil)
			fillGoroutines(list)
		}
		return list
	}
	c := &taskCensus{
		answers:  make([][]TaskInfo, len(rt.ws)),
		answered: make([]bool, len(rt.ws)),
		missing:  len(rt.ws),
		done:     NewWaiter(),
	}
	for i, w := range rt.ws {
		if own != nil && own.w == w {
			c.answer(i, w.describeTasks(own.task))
		} else if !w.Post(func() { c.answer(i, w.describeTasks(nil)) }) {
			c.answer(i, nil) // it is over
		}
	}
	err := c.done.ParkUntil("list of tasks", Now().Add(listPatience))
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, w := range rt.ws {
		if !c.answered[i] && err == ErrTimeout {
			task, id := w.holder()
			info := TaskInfo{Task: task, Worker: i, State: TaskHolding, Goroutine: id}
			if task != nil {
				info.addOrigin()
			}
			c.answers[i] = []TaskInfo{info}
		}
	}
	list := slices.Concat(c.answers...)
	fillGoroutines(list)
	return list
}

// taskCensus is one call of Tasks.
type taskCensus struct {
	done Waiter

	mu       sync.Mutex
	answers  [][]TaskInfo // mu guards: by worker
	answered []bool       // mu guards
	missing  int          // mu guards
}

func (c *taskCensus) answer(worker int, infos []TaskInfo) {
	c.mu.Lock()
	c.answers[worker], c.answered[worker] = infos, true
	c.missing--
	last := c.missing == 0
	c.mu.Unlock()
	if last {
		c.done.Ready()
	}
}

// describeTasks lists the worker's tasks, of which running is the present one, nil
// on the hub. On the worker only.
func (w *worker) describeTasks(running *Task) []TaskInfo {
	var infos []TaskInfo
	for t := w.tasks; t != nil; t = t.next {
		infos = append(infos, t.describe(running))
	}
	slices.Reverse(infos)
	for t := w.runq.head; t != nil; t = t.qnext {
		if t.co == nil {
			infos = append(infos, t.describe(running))
		}
	}
	for tm := range w.timers.all() {
		if t := tm.task; t != nil && t.co == nil {
			infos = append(infos, t.describe(running))
		}
	}
	return infos
}

func (t *Task) describe(running *Task) TaskInfo {
	i := TaskInfo{Task: t, Worker: t.w.index, co: t.co}
	_, waits := t.waiting()
	switch {
	case t == running:
		i.State = TaskRunning
	case t.co == nil && !t.Started():
		i.State = TaskDelayed
	case t.co == nil:
		i.State = TaskNotStarted
	case waits && t.reason != "":
		i.State, i.Reason = TaskWaiting, t.reason
	default:
		i.State = TaskReady
	}
	i.addOrigin()
	return i
}

func (i *TaskInfo) addOrigin() {
	if x := i.Task.ext.Load(); x != nil && x.origin != nil {
		i.Parent, i.Created, i.Spawned = x.origin.parent, x.origin.at, x.origin.stack
	}
}

// fillGoroutines looks up the ids. That takes a walk through the registry, which
// is better made here than while a worker waits.
func fillGoroutines(list []TaskInfo) {
	ids := make(map[*coroutine]int64, len(list))
	strands := registry.listStrands()
	for id, co := range enrolled {
		if !strands[id] {
			ids[co] = id
		}
	}
	for i := range list {
		if list[i].co != nil {
			list[i].Goroutine = ids[list[i].co]
			list[i].co = nil
		}
	}
}
