package lock

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

// step is one call of one of several parties, or the kill of one.
type step struct {
	party int
	call  string
}

// model says what should happen. It answers a call with a result, or with
// "waits"; then the result comes with another party's call, by results.
type model interface {
	call(party int, name string) string
	kill(party int) // the party waits
}

// results are those of calls that had to wait.
type results map[int]string

const parties = 4

// subject is a lock with its model.
type subject struct {
	calls map[string]func() string
	model model
	later results
}

// TestAgainstModel has four tasks make random calls, and compares after each what
// has returned with the model.
func TestAgainstModel(t *testing.T) { // D63 D64 D65 D66 D67, 9 of our own
	for name, fresh := range map[string]func(n int) subject{
		"Mutex":            mutexSubject,
		"RLock":            rlockSubject,
		"RWMutex":          rwMutexSubject,
		"Semaphore":        func(n int) subject { return semaphoreSubject(NewSemaphore(n), n, 1<<30) },
		"BoundedSemaphore": func(n int) subject { return semaphoreSubject(NewBoundedSemaphore(n), n, n) },
		"Barrier":          func(n int) subject { return barrierSubject(n + 1) },
	} {
		t.Run(name, func(t *testing.T) {
			rt := runtimetest.New(t, 1)
			var names []string
			for name := range fresh(1).calls {
				names = append(names, name)
			}
			slices.Sort(names)
			names = append(names, "kill")
			steps := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) step {
				return step{rapid.IntRange(0, parties-1).Draw(t, "party"), rapid.SampledFrom(names).Draw(t, "call")}
			}), 1, 60)
			rapid.Check(t, func(t *rapid.T) {
				s := fresh(rapid.IntRange(0, 3).Draw(t, "n"))
				all := steps.Draw(t, "steps")
				var problem string
				if err := rt.Run(func() error { problem = s.compare(all); return nil }); err != nil || problem != "" {
					t.Fatal(err, problem)
				}
			})
		})
	}
}

// compare makes the calls, and says where they differ from the model.
func (s subject) compare(all []step) string {
	var tasks []*runtime.Task
	var orders [parties]queue.Queue[string]
	got := results{}
	for party := range parties {
		tasks = append(tasks, runtime.Spawn(func() {
			for name := range orders[party].All() {
				got[party] = tried(s.calls[name])
			}
		}))
	}
	defer func() {
		for party, task := range tasks {
			_ = orders[party].Close()
			task.Kill(nil)
			_ = task.Join()
		}
	}()
	waits := map[int]bool{}
	for i, at := range all {
		clear(got)
		clear(s.later)
		should := results{}
		switch {
		case at.call == "kill" && waits[at.party]:
			s.model.kill(at.party)
			tasks[at.party].Kill(nil)
			should[at.party] = runtime.ErrKilled.Error()
		case at.call == "kill" || waits[at.party]:
			continue
		default:
			if result := s.model.call(at.party, at.call); result == "waits" {
				waits[at.party] = true
			} else {
				should[at.party] = result
			}
			_ = orders[at.party].Put(at.call)
		}
		settle()
		for party, result := range s.later {
			should[party] = result
		}
		for party := range should {
			delete(waits, party)
		}
		if a, b := fmt.Sprint(got), fmt.Sprint(should); a != b {
			return fmt.Sprintf("after %v\n got %s\nwant %s", all[:i+1], a, b)
		}
	}
	return ""
}

// tried calls fn, and turns a panic into a result.
func tried(fn func() string) (result string) {
	defer func() {
		if r := recover(); r != nil {
			result = "panic"
		}
	}()
	return fn()
}

func errText(err error) string {
	switch err {
	case nil:
		return "ok"
	case runtime.ErrTimeout:
		return "no"
	}
	return err.Error()
}

func yesNo(yes bool) string {
	if yes {
		return "ok"
	}
	return "no"
}

// holdModel is the model of what is held: by up to room, with a weight for each
// holder, by the first that fits of those that wait, in their order.
type holdModel struct {
	room    int // free units
	limit   int // of room
	waiting []hold
	later   results
}

type hold struct{ party, weight int }

func (m *holdModel) admit() {
	for len(m.waiting) > 0 && m.room >= m.waiting[0].weight {
		m.room -= m.waiting[0].weight
		m.later[m.waiting[0].party] = "ok"
		m.waiting = m.waiting[1:]
	}
}

func (m *holdModel) acquire(party, weight int, wait bool) string {
	switch {
	case len(m.waiting) == 0 && m.room >= weight:
		m.room -= weight
		return "ok"
	case wait:
		m.waiting = append(m.waiting, hold{party, weight})
		return "waits"
	}
	return "no"
}

func (m *holdModel) release(weight int) string {
	if m.room+weight > m.limit {
		return "panic"
	}
	m.room += weight
	m.admit()
	return "ok"
}

func (m *holdModel) kill(party int) {
	m.waiting = slices.DeleteFunc(m.waiting, func(h hold) bool { return h.party == party })
	m.admit()
}

func (m *holdModel) call(party int, name string) string {
	if name == "Release" {
		return m.release(1)
	}
	return m.acquire(party, 1, name == "Acquire")
}

func semaphoreSubject(s sem, n, limit int) subject {
	m := &holdModel{room: n, limit: limit, later: results{}}
	return subject{map[string]func() string{
		"Acquire":      func() string { return errText(s.Acquire()) },
		"AcquireUntil": func() string { return errText(s.AcquireUntil(past)) },
		"TryAcquire":   func() string { return yesNo(s.TryAcquire()) },
		"Release":      func() string { s.Release(); return "ok" },
	}, m, m.later}
}

func mutexSubject(int) subject {
	m := &holdModel{room: 1, limit: 1, later: results{}}
	var l Mutex
	return subject{map[string]func() string{
		"Acquire":      func() string { return errText(l.LockUntil(0)) },
		"AcquireUntil": func() string { return errText(l.LockUntil(past)) },
		"TryAcquire":   func() string { return yesNo(l.TryLock()) },
		"Release":      func() string { l.Unlock(); return "ok" },
	}, m, m.later}
}

// rwModel is a holdModel with many units, of which a writer takes all.
type rwModel struct {
	holdModel
	writing bool // whether those that hold it are one writer
}

const all = 1 << 20

func (m *rwModel) call(party int, name string) string {
	weight := all
	if strings.Contains(name, "R") {
		weight = 1
	}
	m.writing = m.room == 0
	switch {
	case strings.HasSuffix(name, "Unlock"):
		if m.writing != (weight == all) {
			return "panic"
		}
		return m.release(weight)
	default:
		return m.acquire(party, weight, strings.HasPrefix(name, "Wait"))
	}
}

func rwMutexSubject(int) subject {
	m := &rwModel{holdModel: holdModel{room: all, limit: all, later: results{}}}
	var l RWMutex
	return subject{map[string]func() string{
		"WaitLock":   func() string { return errText(l.LockUntil(0)) },
		"WaitRLock":  func() string { return errText(l.RLockUntil(0)) },
		"UntilLock":  func() string { return errText(l.LockUntil(past)) },
		"UntilRLock": func() string { return errText(l.RLockUntil(past)) },
		"TryLock":    func() string { return yesNo(l.TryLock()) },
		"TryRLock":   func() string { return yesNo(l.TryRLock()) },
		"Unlock":     func() string { l.Unlock(); return "ok" },
		"RUnlock":    func() string { l.RUnlock(); return "ok" },
	}, m, m.later}
}

// rlockModel knows the owner.
type rlockModel struct {
	owner, depth int
	waiting      []int
	later        results
}

func (m *rlockModel) call(party int, name string) string {
	if name == "Unlock" {
		if m.depth == 0 || m.owner != party {
			return "panic"
		}
		if m.depth--; m.depth == 0 && len(m.waiting) > 0 {
			m.owner, m.depth = m.waiting[0], 1
			m.later[m.owner] = "ok"
			m.waiting = m.waiting[1:]
		}
		return "ok"
	}
	switch {
	case m.depth == 0 || m.owner == party:
		m.owner = party
		m.depth++
		return "ok"
	case name == "Lock":
		m.waiting = append(m.waiting, party)
		return "waits"
	}
	return "no"
}

func (m *rlockModel) kill(party int) {
	m.waiting = slices.DeleteFunc(m.waiting, func(other int) bool { return other == party })
}

func rlockSubject(int) subject {
	m := &rlockModel{later: results{}}
	var l RLock
	return subject{map[string]func() string{
		"Lock":      func() string { return errText(l.LockUntil(0)) },
		"LockUntil": func() string { return errText(l.LockUntil(past)) },
		"TryLock":   func() string { return yesNo(l.TryLock()) },
		"Unlock":    func() string { l.Unlock(); return "ok" },
	}, m, m.later}
}

// barrierModel is a list of those that wait.
type barrierModel struct {
	size    int
	broken  bool
	waiting []int
	later   results
}

func (m *barrierModel) end(result func(index int) string) {
	for i, party := range m.waiting {
		m.later[party] = result(i)
	}
	m.waiting = nil
}

func (m *barrierModel) fail() {
	m.end(func(int) string { return ErrBroken.Error() })
	m.broken = true
}

func (m *barrierModel) call(party int, name string) string {
	switch name {
	case "Abort":
		m.fail()
	case "Reset":
		m.fail()
		m.broken = false
	case "Broken":
		return yesNo(m.broken)
	default:
		switch {
		case m.broken:
			return ErrBroken.Error()
		case len(m.waiting)+1 == m.size:
			last := len(m.waiting)
			m.end(func(index int) string { return fmt.Sprint(index) })
			return fmt.Sprint(last)
		case name == "WaitUntil":
			m.fail()
			return "no"
		}
		m.waiting = append(m.waiting, party)
		return "waits"
	}
	return "ok"
}

func (m *barrierModel) kill(party int) {
	m.waiting = slices.DeleteFunc(m.waiting, func(other int) bool { return other == party })
	m.fail()
}

func barrierSubject(size int) subject {
	m := &barrierModel{size: size, later: results{}}
	b := NewBarrier(size, nil)
	wait := func(index int, err error) string {
		if err != nil {
			return errText(err)
		}
		return fmt.Sprint(index)
	}
	return subject{map[string]func() string{
		"Wait":       func() string { return wait(b.Wait()) },
		"Wait again": func() string { return wait(b.Wait()) }, // as this is rare otherwise
		"WaitUntil":  func() string { return wait(b.WaitUntil(past)) },
		"Abort":      func() string { b.Abort(); return "ok" },
		"Reset":      func() string { b.Reset(); return "ok" },
		"Broken":     func() string { return yesNo(b.Broken()) },
	}, m, m.later}
}
