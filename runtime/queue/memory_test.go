package queue_test

import (
	goruntime "runtime"
	"testing"
	"weak"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/queue"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// TestRoom has a queue that gives the memory of a burst back, unless bursts are
// the rule.
func TestRoom(t *testing.T) {
	for name, kind := range kinds {
		q := kind(0)
		burst := func(n int) {
			for range n {
				put(t, q, 1)
			}
			for range n {
				get(t, q)
			}
		}
		room := q.(interface{ Room() int }).Room
		burst(10_000)
		large := room()
		burst(10_000)
		want(t, name+" after like bursts", room(), large)
		burst(10)
		if room() > 100 {
			t.Errorf("%s keeps room for %d after a small burst", name, room())
		}
		burst(50)
		small := room()
		burst(1)
		want(t, name+" small room", room(), small)
	}
}

func TestItemsAreLetGo(t *testing.T) {
	type large struct{ _ [100]int }
	runtimetest.Run(t, 1, func() {
		for name, q := range map[string]interface {
			Put(*large) error
			Get() (*large, error)
		}{
			"Queue":    queue.New[*large](1),
			"Lifo":     queue.NewLifo[*large](1),
			"Priority": queue.NewPriority(1, func(a, b *large) bool { return a == b }),
			"Channel":  new(queue.Channel[*large]),
		} {
			var refs []weak.Pointer[large]
			run := func(first, second func()) {
				a, b := runtime.Spawn(first), runtime.Spawn(second)
				joinAll(t, []*runtime.Task{a, b})
			}
			puts := func() {
				for range 5 {
					item := new(large)
					refs = append(refs, weak.Make(item))
					_ = q.Put(item)
				}
			}
			gets := func() {
				for range 5 {
					_, _ = q.Get()
				}
			}
			run(puts, gets)
			run(gets, puts)
			goruntime.GC()
			for i, ref := range refs {
				if ref.Value() != nil {
					t.Errorf("%s keeps item %d", name, i)
				}
			}
			goruntime.KeepAlive(q)
		}
	})
}
