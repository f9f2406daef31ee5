package queue_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/queue"
	"github.com/weft-go/weft/runtime/runtimetest"
	"pgregory.net/rapid"
)

// model is a queue as simple as can be: it knows who waits by number.
type model struct {
	maxsize int // -1: a Channel
	take    func([]int) int
	closed  bool
	items   []int
	getters []int
	putters []int
	putting map[int]int    // the item of each putter
	peeks   map[int]bool   // which getters peek
	results map[int]string // of the calls that have ended
}

func (m *model) add(item int) bool {
	for len(m.getters) > 0 {
		id := m.getters[0]
		m.getters = m.getters[1:]
		m.results[id] = fmt.Sprint(item)
		if !m.peeks[id] {
			return true
		}
	}
	if m.maxsize < 0 || m.maxsize > 0 && len(m.items) >= m.maxsize {
		return false
	}
	m.items = append(m.items, item)
	return true
}

func (m *model) put(id, item int, wait bool) {
	switch {
	case m.closed:
		m.results[id] = queue.ErrClosed.Error()
	case m.add(item):
		m.results[id] = "put"
	case wait:
		m.putters = append(m.putters, id)
		m.putting[id] = item
	default:
		m.results[id] = queue.ErrFull.Error()
	}
}

// admit takes the first putter's item.
func (m *model) admit() int {
	id := m.putters[0]
	m.putters = m.putters[1:]
	m.results[id] = "put"
	return m.putting[id]
}

func (m *model) get(id int, peek, wait bool) {
	m.peeks[id] = peek
	switch {
	case len(m.items) > 0:
		i := m.take(m.items)
		m.results[id] = fmt.Sprint(m.items[i])
		if peek {
			return
		}
		m.items = slices.Delete(m.items, i, i+1)
		if len(m.putters) > 0 {
			m.items = append(m.items, m.admit())
		}
	case len(m.putters) > 0: // a Channel
		m.results[id] = fmt.Sprint(m.admit())
	case m.closed:
		m.results[id] = queue.ErrClosed.Error()
	case wait:
		m.getters = append(m.getters, id)
	default:
		m.results[id] = queue.ErrEmpty.Error()
	}
}

func (m *model) close() {
	m.closed = true
	for _, id := range slices.Concat(m.getters, m.putters) {
		m.results[id] = queue.ErrClosed.Error()
	}
	m.getters, m.putters = nil, nil
}

// kill ends the wait of one of those that wait.
func (m *model) kill(n int) (id int, ok bool) {
	waiting := slices.Concat(m.getters, m.putters)
	if len(waiting) == 0 {
		return 0, false
	}
	id = waiting[n%len(waiting)]
	is := func(other int) bool { return other == id }
	m.getters = slices.DeleteFunc(m.getters, is)
	m.putters = slices.DeleteFunc(m.putters, is)
	m.results[id] = runtime.ErrKilled.Error()
	return id, true
}

type operation struct {
	name string
	n    int
}

// TestAgainstModel does random things to each kind and to its model, with a task
// per call, and compares what has ended, and how, after each.
func TestAgainstModel(t *testing.T) { // D51 D52 D53 D54 D56 D57
	oldest := func([]int) int { return 0 }
	newest := func(items []int) int { return len(items) - 1 }
	least := func(items []int) int { return slices.Index(items, slices.Min(items)) }
	for _, kind := range []struct {
		name string
		make func(maxsize int) face
		take func([]int) int
	}{
		{"Queue", kinds["Queue"], oldest},
		{"Lifo", kinds["Lifo"], newest},
		{"Priority", kinds["Priority"], least},
		{"Channel", func(int) face { return new(queue.Channel[int]) }, nil},
	} {
		t.Run(kind.name, func(t *testing.T) {
			rt := runtimetest.New(t, 1)
			names := []string{"Put", "Put", "Put", "TryPut", "PutUntil", "Get", "Get", "Get", "TryGet", "GetUntil", "kill", "close"}
			maxsize := rapid.Just(-1)
			if kind.take != nil {
				names = append(names, "Peek", "TryPeek")
				maxsize = rapid.IntRange(0, 3)
			}
			// Closing is rare, as little happens after it.
			operations := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) operation {
				op := operation{rapid.SampledFrom(names).Draw(t, "name"), rapid.IntRange(0, 9).Draw(t, "n")}
				if op.name == "close" && op.n != 0 {
					op.name = "Get"
				}
				return op
			}), 1, 60)
			rapid.Check(t, func(t *rapid.T) {
				size := maxsize.Draw(t, "maxsize")
				ops := operations.Draw(t, "operations")
				m := &model{
					maxsize: size, take: kind.take,
					putting: map[int]int{}, peeks: map[int]bool{}, results: map[int]string{},
				}
				var problem string
				err := rt.Run(func() error {
					problem = compare(kind.make(max(size, 0)), m, ops)
					return nil
				})
				if err != nil || problem != "" {
					t.Fatal(err, problem)
				}
			})
		})
	}
}

func compare(q face, m *model, ops []operation) string {
	results := map[int]string{}
	tasks := map[int]*runtime.Task{}
	call := func(id int, fn func() string) {
		tasks[id] = runtime.Spawn(func() { results[id] = fn() })
	}
	ended := func(err error) string {
		switch {
		case err == nil:
			return "put"
		case err == runtime.ErrTimeout:
			return "timeout"
		}
		return err.Error()
	}
	got := func(v int, err error) string {
		if err != nil {
			return ended(err)
		}
		return fmt.Sprint(v)
	}
	for id, op := range ops {
		switch op.name {
		case "Put":
			m.put(id, op.n, true)
			call(id, func() string { return ended(q.Put(op.n)) })
		case "TryPut":
			m.put(id, op.n, false)
			call(id, func() string { return ended(q.TryPut(op.n)) })
		case "PutUntil":
			m.put(id, op.n, false)
			m.results[id] = strings.Replace(m.results[id], queue.ErrFull.Error(), "timeout", 1)
			call(id, func() string { return ended(q.PutUntil(op.n, past)) })
		case "Get":
			m.get(id, false, true)
			call(id, func() string { return got(q.Get()) })
		case "TryGet":
			m.get(id, false, false)
			call(id, func() string { return got(q.TryGet()) })
		case "GetUntil":
			m.get(id, false, false)
			m.results[id] = strings.Replace(m.results[id], queue.ErrEmpty.Error(), "timeout", 1)
			call(id, func() string { return got(q.GetUntil(past)) })
		case "Peek":
			m.get(id, true, true)
			call(id, func() string { return got(q.(peeker).Peek()) })
		case "TryPeek":
			m.get(id, true, false)
			call(id, func() string { return got(q.(peeker).TryPeek()) })
		case "kill":
			if victim, ok := m.kill(op.n); ok {
				tasks[victim].Kill(nil)
			}
		case "close":
			if !m.closed {
				m.close()
				_ = q.Close()
			}
		}
		for range 4 {
			runtime.Yield()
		}
		getters, putters := q.Waiting()
		state := fmt.Sprint(results, getters, putters, q.Len(), q.Empty(), q.Full())
		full := m.maxsize < 0 || m.maxsize > 0 && len(m.items) == m.maxsize
		should := fmt.Sprint(m.results, len(m.getters), len(m.putters), len(m.items), len(m.items) == 0, full)
		if state != should {
			return fmt.Sprintf("after %d operations\n got %s\nwant %s", id+1, state, should)
		}
	}
	for _, task := range tasks {
		task.Kill(nil)
		_ = task.Join()
	}
	if getters, putters := q.Waiting(); getters+putters > 0 {
		return "the dead are listed"
	}
	return ""
}
