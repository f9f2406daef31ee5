package queue_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/queue"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// face is what all kinds have in common.
type face interface {
	Put(int) error
	PutUntil(int, runtime.Instant) error
	TryPut(int) error
	Get() (int, error)
	GetUntil(runtime.Instant) (int, error)
	TryGet() (int, error)
	Close() error
	Len() int
	Cap() int
	Empty() bool
	Full() bool
	Waiting() (getters, putters int)
}

var (
	_ face = (*queue.Queue[int])(nil)
	_ face = (*queue.Lifo[int])(nil)
	_ face = (*queue.Priority[int])(nil)
	_ face = (*queue.Joinable[int])(nil)
	_ face = (*queue.Channel[int])(nil)
)

// kinds makes each kind that stores items, with a bound.
var kinds = map[string]func(maxsize int) face{
	"Queue":    func(maxsize int) face { return queue.New[int](maxsize) },
	"Lifo":     func(maxsize int) face { return queue.NewLifo[int](maxsize) },
	"Priority": func(maxsize int) face { return queue.NewPriority(maxsize, smaller) },
	"Joinable": func(maxsize int) face { return queue.NewJoinable[int](maxsize) },
}

func smaller(a, b int) bool { return a < b }

// each runs fn for each kind that stores items, as a task of its own worker.
func each(t *testing.T, maxsize int, fn func(t *testing.T, q face)) {
	for name, kind := range kinds {
		t.Run(name, func(t *testing.T) {
			runtimetest.Run(t, 1, func() { fn(t, kind(maxsize)) })
		})
	}
}

// eachAndChannel runs fn for the Channel, too.
func eachAndChannel(t *testing.T, maxsize int, fn func(t *testing.T, q face)) {
	each(t, maxsize, fn)
	t.Run("Channel", func(t *testing.T) {
		runtimetest.Run(t, 1, func() { fn(t, new(queue.Channel[int])) })
	})
}

// settle lets every task of the worker go as far as it can, if none waits for
// anything but the others.
func settle() {
	for range 10 {
		runtime.Yield()
	}
}

// soon is a deadline that passes during the test.
func soon() runtime.Instant { return runtime.Now().Add(2 * time.Millisecond) }

// past is a deadline that has passed.
const past = runtime.Instant(1)

var errCause = errors.New("cause")

func want[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func wantSlice[T comparable](t *testing.T, got []T, want ...T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func wantErr(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: got error %v, want %v", what, got, want)
	}
}

// noTrace fails the test if someone is still listed as waiting.
func noTrace(t *testing.T, q interface{ Waiting() (int, int) }) {
	t.Helper()
	if getters, putters := q.Waiting(); getters != 0 || putters != 0 {
		t.Errorf("%d getters and %d putters are listed", getters, putters)
	}
}

func get(t *testing.T, q face) int {
	t.Helper()
	v, err := q.Get()
	if err != nil {
		t.Error(err)
	}
	return v
}

func put(t *testing.T, q face, v int) {
	t.Helper()
	if err := q.Put(v); err != nil {
		t.Error(err)
	}
}

func joinAll(t *testing.T, tasks []*runtime.Task) {
	t.Helper()
	for _, task := range tasks {
		if err := task.Join(); err != nil {
			t.Error(err)
		}
	}
}
