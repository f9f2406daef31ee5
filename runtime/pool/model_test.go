package pool_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/pool"
	"github.com/weft-go/weft/runtime/runtimetest"
	"pgregory.net/rapid"
)

// model is a pool as simple as can be, by the numbers of the calls.
type model struct {
	size    int
	running []int
	waiting []int
	results map[int]string // of the spawning calls that have ended
}

func (m *model) spawn(id int, wait bool) {
	switch {
	case len(m.running) < m.size:
		m.start(id)
	case wait:
		m.waiting = append(m.waiting, id)
	default:
		m.results[id] = pool.ErrFull.Error()
	}
}

func (m *model) start(id int) {
	m.running = append(m.running, id)
	m.results[id] = "spawned"
}

// end ends the n-th running one, and reports which that is.
func (m *model) end(n int) (id int, ok bool) {
	if len(m.running) == 0 {
		return 0, false
	}
	i := n % len(m.running)
	id = m.running[i]
	m.running = slices.Delete(m.running, i, i+1)
	if len(m.waiting) > 0 {
		m.start(m.waiting[0])
		m.waiting = m.waiting[1:]
	}
	return id, true
}

// giveUp ends the wait of the n-th waiting one.
func (m *model) giveUp(n int) (id int, ok bool) {
	if len(m.waiting) == 0 {
		return 0, false
	}
	i := n % len(m.waiting)
	id = m.waiting[i]
	m.waiting = slices.Delete(m.waiting, i, i+1)
	m.results[id] = runtime.ErrKilled.Error()
	return id, true
}

type operation struct {
	name string
	n    int
}

// TestAgainstModel does random things to a pool and to its model, with a task per
// call, and compares them after each.
func TestAgainstModel(t *testing.T) { // D69 D70 D76
	rt := quietRuntime(t, 1)
	names := []string{"Spawn", "Spawn", "Spawn", "TrySpawn", "SpawnUntil", "return", "panic", "kill", "discard", "give up"}
	operations := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) operation {
		return operation{rapid.SampledFrom(names).Draw(t, "name"), rapid.IntRange(0, 9).Draw(t, "n")}
	}), 1, 60)
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(0, 3).Draw(t, "size")
		ops := operations.Draw(t, "operations")
		var problem string
		err := rt.Run(func() error {
			problem = compare(pool.New(size), &model{size: size, results: map[int]string{}}, ops)
			return nil
		})
		if err != nil || problem != "" {
			t.Fatal(err, problem)
		}
	})
}

func compare(p *pool.Pool, m *model, ops []operation) string {
	results := map[int]string{}
	var running []int
	spawners := map[int]*runtime.Task{}
	tasks := map[int]*runtime.Task{}
	finish := map[int]*string{} // how a task is to end
	wake := map[int]runtime.Waiter{}
	work := func(id int) func() {
		return func() {
			running = append(running, id)
			defer func() {
				i := slices.Index(running, id)
				running = slices.Delete(running, i, i+1)
			}()
			w := runtime.NewWaiter()
			wake[id] = w
			if w.Park("test") == nil && *finish[id] == "panic" {
				panic("in a task")
			}
		}
	}
	call := func(id int, spawn func() (*runtime.Task, error)) {
		finish[id] = new(string)
		spawners[id] = runtime.Spawn(func() {
			task, err := spawn()
			if err != nil {
				results[id] = err.Error()
				return
			}
			tasks[id] = task
			results[id] = "spawned"
		})
	}
	var discarded []int
	for id, op := range ops {
		switch op.name {
		case "Spawn":
			m.spawn(id, true)
			call(id, func() (*runtime.Task, error) { return p.Spawn(work(id)) })
		case "TrySpawn":
			m.spawn(id, false)
			call(id, func() (*runtime.Task, error) { return p.TrySpawn(work(id)) })
		case "SpawnUntil":
			m.spawn(id, false)
			call(id, func() (*runtime.Task, error) { return p.SpawnUntil(work(id), past) })
		case "return", "panic":
			if victim, ok := m.end(op.n); ok {
				*finish[victim] = op.name
				wake[victim].Ready()
			}
		case "kill":
			if victim, ok := m.end(op.n); ok {
				tasks[victim].Kill(nil)
			}
		case "discard":
			if victim, ok := m.end(op.n); ok {
				discarded = append(discarded, victim)
				p.Discard(tasks[victim])
			}
		case "give up":
			if victim, ok := m.giveUp(op.n); ok {
				spawners[victim].Kill(nil)
			}
		}
		for range 5 {
			runtime.Yield()
		}
		members := slices.DeleteFunc(slices.Clone(running), func(id int) bool { return slices.Contains(discarded, id) })
		state := fmt.Sprint(members, p.Waiting(), results, p.Len(), p.Free(), p.Full())
		should := fmt.Sprint(m.running, len(m.waiting), m.results, len(m.running), m.size-len(m.running), len(m.running) == m.size)
		if state != should {
			return fmt.Sprintf("after %d operations\n got %s\nwant %s", id+1, state, should)
		}
	}
	for _, tasks := range []map[int]*runtime.Task{spawners, tasks} {
		for _, task := range tasks {
			task.Kill(nil)
			_ = task.Join()
		}
	}
	if p.Free() != m.size || p.Len() != 0 || p.Waiting() != 0 {
		return "the dead have left traces"
	}
	return ""
}

// TestMapAgainstModel has random elements take random numbers of turns.
func TestMapAgainstModel(t *testing.T) { // D73 D74 D76
	rt := runtimetest.New(t, 1)
	rapid.Check(t, func(t *rapid.T) {
		turns := rapid.SliceOfN(rapid.IntRange(-3, 6), 0, 20).Draw(t, "turns") // negative ones fail
		size := rapid.IntRange(1, 4).Draw(t, "size")
		maxsize := rapid.IntRange(0, 4).Draw(t, "maxsize")
		ordered := rapid.Bool().Draw(t, "ordered")
		leave := rapid.IntRange(0, 25).Draw(t, "leave")
		var problem string
		err := rt.Run(func() error {
			problem = mapAll(turns, size, maxsize, ordered, leave)
			return nil
		})
		if err != nil || problem != "" {
			t.Fatal(err, problem)
		}
	})
}

func mapAll(turns []int, size, maxsize int, ordered bool, leave int) string {
	p := pool.New(size)
	active, most, taken, seen, ahead := 0, 0, 0, 0, 0
	in := func(yield func(int) bool) {
		for i := range turns {
			taken++
			ahead = max(ahead, taken-seen)
			if !yield(i) {
				return
			}
		}
	}
	fn := func(i int) (int, error) {
		active++
		most = max(most, active)
		defer func() { active-- }()
		for range max(turns[i], -turns[i]) {
			runtime.Yield()
		}
		if turns[i] < 0 {
			return i, errOdd
		}
		return i, nil
	}
	seq := pool.IMapUnordered(p, maxsize, in, fn)
	if ordered {
		seq = pool.IMap(p, maxsize, in, fn)
	}
	times := make([]int, len(turns))
	for v, err := range seq {
		if ordered && v != seen {
			return fmt.Sprintf("element %d came as number %d", v, seen)
		}
		if (err != nil) != (turns[v] < 0) {
			return fmt.Sprintf("element %d came with error %v", v, err)
		}
		times[v]++
		if seen++; seen == leave {
			break
		}
	}
	for i, n := range times {
		if n > 1 || n == 0 && (leave == 0 || leave > len(turns)) {
			return fmt.Sprintf("element %d came %d times", i, n)
		}
	}
	switch {
	case most > size:
		return fmt.Sprintf("%d at once in a pool of %d", most, size)
	case maxsize > 0 && ahead > maxsize+1:
		return fmt.Sprintf("%d ahead with maxsize %d", ahead, maxsize)
	case active != 0 || p.Len() != 0 || p.Free() != size:
		return "something is left"
	}
	return ""
}
