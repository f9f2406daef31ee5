package process

import (
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"unsafe"

	"github.com/weft-go/weft/runtime/runtimetest"
)

var (
	fillsMemory = Register("test fill memory", func(m *SharedMemory) (int, error) {
		b, err := m.Bytes()
		if err != nil {
			return 0, err
		}
		copy(b[len(b)-5:], "hello")
		first := int(b[0])
		return first, m.Close()
	})
	countsInMemory = Register("test count in memory", func(m *SharedMemory) (int, error) {
		b, err := m.Bytes()
		if err != nil {
			return 0, err
		}
		n := (*atomic.Int64)(unsafe.Pointer(&b[0]))
		for range 10_000 {
			n.Add(1)
		}
		return 0, nil
	})
	makesMemory = Register("test make memory", func(a memoryArgs) (int, error) {
		m, err := NewSharedMemory(1 << 20)
		if err == nil && a.Up.Send(m) == nil {
			forever()
		}
		return 0, err
	})
)

type memoryArgs struct{ Up *Sender[*SharedMemory] }

// mapped counts the mappings of shared memory of this process.
func mapped() int {
	b, _ := os.ReadFile("/proc/self/maps")
	return strings.Count(string(b), "weft shared memory")
}

func TestSharedMemory(t *testing.T) {
	inTask(t, func() {
		m := ok(NewSharedMemory(1 << 20))
		want(t, "size", m.Size(), 1<<20)
		b := ok(m.Bytes())
		b[0] = 7
		want(t, "first byte", ok(ok(Start(fillsMemory, m)).Result()), 7)
		want(t, "last bytes", string(b[len(b)-5:]), "hello")
		b[0] = 0
		children := []*Running[int]{ok(Start(countsInMemory, m)), ok(Start(countsInMemory, m))}
		for _, p := range children {
			ok(p.Result()) // which ends without Close
		}
		want(t, "counted", (*atomic.Int64)(unsafe.Pointer(&b[0])).Load(), 20_000)

		// Through a queue of handles.
		q := ok(NewQueue[*SharedMemory](Here, 0))
		check(t, q.Put(m))
		again := ok(q.Get())
		want(t, "the same memory", string(ok(again.Bytes())[len(b)-5:]), "hello")
		check(t, again.Close())
		check(t, q.Remove())
		wantErr(t, "second close", again.Close(), ErrGone)
		_, err := again.Bytes()
		wantErr(t, "after close", err, ErrGone)
		_ = m.Close()
		want(t, "mappings left", mapped(), 0)
	})
}

// TestSharedMemoryUsers: who has mapped it keeps it when its maker is killed, who has not
// comes too late. Python's may be taken from those who use it.
func TestSharedMemoryUsers(t *testing.T) {
	inTask(t, func() {
		r, w, err := OneWay[*SharedMemory]()
		check(t, err)
		maker := ok(Start(makesMemory, memoryArgs{w}))
		m := ok(r.Recv())
		b := ok(m.Bytes())
		check(t, maker.Kill())
		check(t, maker.Join())
		b[12345] = 1 // would crash
		want(t, "mappings", mapped(), 1)
		late := &SharedMemory{address: m.address, size: m.size}
		_, err = late.Bytes()
		wantErr(t, "too late", err, ErrGone)
		check(t, m.Close())
		runtimetest.Eventually(t, "no mappings", func() bool { return mapped() == 0 })
		check(t, r.Close())
	})
}
