package local_test

import (
	"fmt"
	"testing"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/local"
	"github.com/weft-go/weft/runtime/runtimetest"
)

var (
	name   = local.Named[string]("name")
	number = local.Named[int]("number")
)

// TestNamed: Values has what a task has of named variables, in the order of Named, and
// nothing of other tasks, after Delete, or after the end.
func TestNamed(t *testing.T) {
	values := func(task *runtime.Task) (text string) {
		for name, value := range local.Values(task) {
			text += fmt.Sprintf("%s=%v ", name, value)
		}
		return text
	}
	runtimetest.Run(t, 1, func() {
		number.Set(1)
		name.Set("x")
		child := runtime.Spawn(func() { number.Set(2); runtime.Yield() })
		runtime.Yield()
		if got := values(runtime.Current()); got != "name=x number=1 " {
			t.Errorf("own values %q", got)
		}
		if got := values(child); got != "number=2 " {
			t.Errorf("the child's values %q", got)
		}
		name.Delete()
		_ = child.Join()
		if got := values(runtime.Current()) + values(child); got != "number=1 " {
			t.Errorf("after Delete and the child's end %q", got)
		}
		for range local.Values(runtime.Current()) {
			break
		}
	})
}
