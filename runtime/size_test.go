package runtime

import (
	"testing"
	"unsafe"
)

// TestSizes keeps the hot structures within their allocation classes.
func TestSizes(t *testing.T) {
	if s := unsafe.Sizeof(coroutine{}); s > 64 {
		t.Errorf("coroutine has %d bytes, more than a cache line", s)
	}
	if s := unsafe.Sizeof(Task{}); s > 112 {
		t.Errorf("Task has %d bytes", s)
	}
	if s := unsafe.Sizeof(taskExt{}); s > 160 {
		t.Errorf("taskExt has %d bytes", s)
	}
	var x Task
	if end := unsafe.Offsetof(x.task) + 8; end > 64 {
		t.Errorf("the hot part of Task has %d bytes, more than a cache line", end)
	}
}
