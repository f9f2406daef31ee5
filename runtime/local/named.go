package local

import (
	"iter"
	"slices"
	"sync"

	"github.com/weft-go/weft/runtime"
)

// named are the variables made by Named.
var named struct {
	mu   sync.Mutex
	vars []namedVar // mu guards; what is there does not change
}

type namedVar struct {
	name string
	get  func(*runtime.Task) (value any, ok bool)
}

// Named returns a variable whose values show, under this name, in listings of tasks
// (package runtime/debug, Values). It is never let go, so it is for package
// variables:
//
//	var user = local.Named[string]("user")
//
// Named does not park, and may be called from anywhere.
func Named[T any](name string) *Var[T] {
	v := new(Var[T])
	named.mu.Lock()
	defer named.mu.Unlock()
	named.vars = append(named.vars, namedVar{name, func(t *runtime.Task) (any, bool) {
		if c := v.cell(t); c != nil {
			return c.value, c.set
		}
		return nil, false
	}})
	return v
}

// Values yields the names and values of the named variables that t has, in the
// order of the calls of Named. It must be called on t's worker, by a task or a
// callback, since that is where t sets them. It does not park.
func Values(t *runtime.Task) iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		named.mu.Lock()
		vars := slices.Clip(named.vars)
		named.mu.Unlock()
		for _, v := range vars {
			if value, ok := v.get(t); ok && !yield(v.name, value) {
				return
			}
		}
	}
}
