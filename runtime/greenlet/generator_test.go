package greenlet_test

import (
	"errors"
	"fmt"
	goruntime "runtime"
	"slices"
	"testing"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/greenlet"
)

type (
	gen  = greenlet.Generator[int, string]
	yell = greenlet.Yielder[int, string]
)

// upTo yields 0 to n-1.
func upTo(n int) *gen {
	return greenlet.NewGenerator(func(y *yell) error {
		for i := range n {
			y.Yield(i)
		}
		return nil
	})
}

func TestNext(t *testing.T) { // yield, to the end and beyond
	both(t, func(t *testing.T) {
		g := upTo(3)
		for i := range 3 {
			must(t, "Next", i)(g.Next())
		}
		fails[int](t, "Next", greenlet.ErrDone)(g.Next())
		fails[int](t, "Next after the end", greenlet.ErrDone)(g.Next())
		fails[int](t, "Send after the end", greenlet.ErrDone)(g.Send("x"))
		if err := g.Err(); err != nil {
			t.Error(err)
		}
	})
}

func TestSend(t *testing.T) { // send
	both(t, func(t *testing.T) {
		g := greenlet.NewGenerator(func(y *yell) error {
			for in := ""; in != "stop"; {
				in = y.Yield(len(in))
			}
			return nil
		})
		must(t, "Next", 0)(g.Next())
		must(t, "Send", 5)(g.Send("hello"))
		must(t, "Next", 0)(g.Next()) // sends the zero value
		fails[int](t, "Send", greenlet.ErrDone)(g.Send("stop"))
	})
}

func TestSendBeforeNext(t *testing.T) { // send(v) before start => TypeError
	both(t, func(t *testing.T) {
		g := upTo(1)
		fails[int](t, "Send", greenlet.ErrNotStarted)(g.Send("x"))
		must(t, "Next", 0)(g.Next())
		fails[int](t, "Send", greenlet.ErrDone)(g.Send("x"))
	})
}

func TestThrowIsCaught(t *testing.T) { // throw
	both(t, func(t *testing.T) {
		g := greenlet.NewGenerator(func(y *yell) error {
			fails[string](t, "YieldErr", errTest)(y.YieldErr(1))
			func() {
				defer func() {
					if err, _ := recover().(error); !errors.Is(err, errTest) || err.Error() != errTest.Error() {
						t.Errorf("recovered %v", err)
					}
				}()
				y.Yield(2)
			}()
			y.Yield(3)
			return nil
		})
		must(t, "Next", 1)(g.Next())
		must(t, "Throw", 2)(g.Throw(errTest))
		must(t, "second Throw", 3)(g.Throw(errTest))
		fails[int](t, "Next", greenlet.ErrDone)(g.Next())
	})
}

func TestThrowUnwinds(t *testing.T) {
	both(t, func(t *testing.T) {
		deferred := false
		g := greenlet.NewGenerator(func(y *yell) error {
			defer func() { deferred = true }()
			y.Yield(1)
			t.Error("went on")
			return nil
		})
		must(t, "Next", 1)(g.Next())
		fails[int](t, "Throw", errTest)(g.Throw(errTest))
		if !deferred || g.Err() != errTest {
			t.Errorf("deferred %t, Err %v", deferred, g.Err())
		}
		fails[int](t, "Next", greenlet.ErrDone)(g.Next())
		fails[int](t, "Throw after the end", errTest)(g.Throw(errTest))
	})
}

func TestThrowBeforeNext(t *testing.T) { // throw() before start raises at def line and finishes
	both(t, func(t *testing.T) {
		g := greenlet.NewGenerator(func(*yell) error { t.Error("ran"); return nil })
		fails[int](t, "Throw", errTest)(g.Throw(errTest))
		fails[int](t, "Next", greenlet.ErrDone)(g.Next())
	})
}

func TestThrowExit(t *testing.T) { // throw(GeneratorExit) comes back, other than from close
	both(t, func(t *testing.T) {
		g := upTo(2)
		must(t, "Next", 0)(g.Next())
		fails[int](t, "Throw", greenlet.ErrExit)(g.Throw(nil))
	})
}

func TestGeneratorClose(t *testing.T) { // close() throws GeneratorExit; runs deferred functions
	both(t, func(t *testing.T) {
		deferred := 0
		byPanic := greenlet.NewGenerator(func(y *yell) error {
			defer func() { deferred++ }()
			y.Yield(1)
			t.Error("went on")
			return nil
		})
		byError := greenlet.NewGenerator(func(y *yell) error {
			defer func() { deferred++ }()
			_, err := y.YieldErr(1)
			return err
		})
		returning := greenlet.NewGenerator(func(y *yell) error {
			defer func() { deferred++ }()
			_, _ = y.YieldErr(1)
			return y.Return(7) // close() gives the return value since 3.13
		})
		for i, g := range []*gen{byPanic, byError, returning} {
			must(t, "Next", 1)(g.Next())
			if err := g.Close(); err != nil || g.Err() != nil {
				t.Errorf("Close = %v, Err %v", err, g.Err())
			}
			if deferred != i+1 {
				t.Errorf("%d deferred functions ran", deferred)
			}
			fails[int](t, "Next", greenlet.ErrDone)(g.Next())
			if err := g.Close(); err != nil { // close() on finished no-op
				t.Errorf("second Close = %v", err)
			}
		}
		if v, ok := returning.Result(); v != 7 || !ok {
			t.Errorf("Result = %v, %t", v, ok)
		}
		if v, ok := byError.Result(); ok {
			t.Errorf("Result without one = %v", v)
		}
	})
}

func TestGeneratorCloseUnstarted(t *testing.T) {
	both(t, func(t *testing.T) {
		g := greenlet.NewGenerator(func(*yell) error { t.Error("ran"); return nil })
		if err := g.Close(); err != nil {
			t.Error(err)
		}
		fails[int](t, "Next", greenlet.ErrDone)(g.Next())
	})
}

func TestGeneratorCloseReturnsTheError(t *testing.T) {
	both(t, func(t *testing.T) {
		g := greenlet.NewGenerator(func(y *yell) error {
			_, _ = y.YieldErr(1)
			return errTest
		})
		must(t, "Next", 1)(g.Next())
		if err := g.Close(); err != errTest {
			t.Errorf("Close = %v", err)
		}
	})
}

func TestGeneratorIgnoresClose(t *testing.T) { // yielding again => RuntimeError "generator ignored GeneratorExit"
	both(t, func(t *testing.T) {
		deferred := false
		byError := greenlet.NewGenerator(func(y *yell) error {
			defer func() {
				_, _ = y.YieldErr(0)
				t.Error("went on in a deferred function")
			}()
			defer func() { deferred = true }()
			for {
				_, _ = y.YieldErr(0)
			}
		})
		byPanic := greenlet.NewGenerator(func(y *yell) error {
			for {
				func() {
					defer func() { _ = recover() }()
					y.Yield(0)
				}()
			}
		})
		for _, g := range []*gen{byError, byPanic} {
			must(t, "Next", 0)(g.Next())
			if err := g.Close(); err != greenlet.ErrIgnored || g.Err() != greenlet.ErrIgnored {
				t.Errorf("Close = %v, Err %v", err, g.Err())
			}
			fails[int](t, "Next", greenlet.ErrDone)(g.Next())
		}
		if !deferred {
			t.Error("deferred function did not run")
		}
	})
}

func TestReturn(t *testing.T) { // return v
	both(t, func(t *testing.T) {
		g := greenlet.NewGenerator(func(y *yell) error {
			y.Yield(1)
			return y.Return(2)
		})
		if v, ok := g.Result(); ok {
			t.Errorf("Result before the start = %v", v)
		}
		must(t, "Next", 1)(g.Next())
		fails[int](t, "Next", greenlet.ErrDone)(g.Next())
		if v, ok := g.Result(); v != 2 || !ok {
			t.Errorf("Result = %v, %t", v, ok)
		}
	})
}

func TestDoneLeaks(t *testing.T) { // StopIteration leaking out => RuntimeError (PEP 479)
	both(t, func(t *testing.T) {
		inner := upTo(1)
		g := greenlet.NewGenerator(func(y *yell) error {
			for {
				v, err := inner.Next()
				if err != nil {
					return fmt.Errorf("inner: %w", err)
				}
				y.Yield(v)
			}
		})
		must(t, "Next", 0)(g.Next())
		if _, err := g.Next(); err != greenlet.ErrLeaked || errors.Is(err, greenlet.ErrDone) {
			t.Errorf("Next = %v", err)
		}
	})
}

func TestExecuting(t *testing.T) { // re-entrancy => ValueError "generator already executing"
	both(t, func(t *testing.T) {
		var g *gen
		g = greenlet.NewGenerator(func(y *yell) error {
			fails[int](t, "Next", greenlet.ErrExecuting)(g.Next())
			fails[int](t, "Send", greenlet.ErrExecuting)(g.Send("x"))
			fails[int](t, "Throw", greenlet.ErrExecuting)(g.Throw(errTest))
			if err := g.Close(); err != greenlet.ErrExecuting {
				t.Errorf("Close = %v", err)
			}
			return nil
		})
		fails[int](t, "Next", greenlet.ErrDone)(g.Next())
	})
}

func TestExecutingInAnotherGreenlet(t *testing.T) {
	both(t, func(t *testing.T) {
		var g *gen
		outer := greenlet.New(func(int) (int, error) { return g.Next() })
		g = greenlet.NewGenerator(func(y *yell) error {
			if greenlet.Current() != outer {
				t.Error("it does not run in the greenlet that calls Next")
			}
			v, err := greenlet.Main().Switch(1) // suspends outer, here
			if v != 2 || err != nil {
				t.Errorf("Switch = %v, %v", v, err)
			}
			y.Yield(3)
			return nil
		})
		must(t, "outer.Switch", 1)(outer.Switch(0))
		fails[int](t, "Next", greenlet.ErrExecuting)(g.Next())
		must(t, "outer.Switch", 3)(outer.Switch(2))
		fails[int](t, "Next", greenlet.ErrDone)(g.Next()) // by another greenlet than began
	})
}

func TestGeneratorError(t *testing.T) {
	both(t, func(t *testing.T) {
		g := greenlet.NewGenerator(func(y *yell) error {
			y.Yield(1)
			return errTest
		})
		must(t, "Next", 1)(g.Next())
		fails[int](t, "Next", errTest)(g.Next())
		fails[int](t, "Next", greenlet.ErrDone)(g.Next())
		if g.Err() != errTest {
			t.Errorf("Err = %v", g.Err())
		}
	})
}

func TestGeneratorPanic(t *testing.T) {
	both(t, func(t *testing.T) {
		g := greenlet.NewGenerator(func(y *yell) error { panic("thud") })
		_, err := g.Next()
		var p *runtime.PanicError
		if !errors.As(err, &p) || p.Value != "thud" || len(p.Stack) == 0 {
			t.Errorf("Next = %v", err)
		}
		fails[int](t, "Next", greenlet.ErrDone)(g.Next())
	})
}

func TestGeneratorGoexit(t *testing.T) { // ends the caller too
	clean(t)
	deferred := false
	apart(func() {
		g := greenlet.NewGenerator(func(y *yell) error { goruntime.Goexit(); return nil })
		defer func() {
			deferred = true
			fails[int](t, "Next", greenlet.ErrDone)(g.Next())
			fails[int](t, "Next of another", greenlet.ErrDone)(upTo(0).Next())
		}()
		v, err := g.Next()
		t.Errorf("Next = %v, %v", v, err)
	})
	if !deferred {
		t.Error("deferred function did not run")
	}
}

func TestGeneratorElsewhere(t *testing.T) {
	both(t, func(t *testing.T) {
		g := upTo(2)
		apart(func() {
			defer func() { _ = g.Close() }()
			must(t, "Next where it was not made", 0)(g.Next())
		})
		fails[int](t, "Next elsewhere", greenlet.ErrOwner)(g.Next())
		if err := g.Close(); err != greenlet.ErrOwner {
			t.Errorf("Close elsewhere = %v", err)
		}
	})
}

func TestYieldElsewhere(t *testing.T) {
	both(t, func(t *testing.T) {
		panics := func(where string, fn func()) {
			defer func() {
				if recover() == nil {
					t.Errorf("Yield %s did not panic", where)
				}
			}()
			fn()
		}
		var leaked *yell
		g := greenlet.NewGenerator(func(y *yell) error {
			leaked = y
			panics("in an inner generator", func() {
				inner := greenlet.NewGenerator(func(*yell) error { y.Yield(1); return nil })
				if _, err := inner.Next(); err != nil {
					panic(err)
				}
			})
			y.Yield(1)
			return nil
		})
		must(t, "Next", 1)(g.Next())
		panics("while it waits", func() { leaked.Yield(2) })
		fails[int](t, "Next", greenlet.ErrDone)(g.Next())
		panics("after the end", func() { leaked.Yield(2) })
	})
}

func TestAll(t *testing.T) { // All() iter.Seq[Out]
	both(t, func(t *testing.T) {
		g := upTo(4)
		must(t, "Next", 0)(g.Next())
		if got := slices.Collect(g.All()); !slices.Equal(got, []int{1, 2, 3}) {
			t.Errorf("All = %v", got)
		}
		if got := slices.Collect(g.All()); got != nil {
			t.Errorf("All after the end = %v", got)
		}
	})
}

func TestAllIsLeft(t *testing.T) { // by break, return or panic: closed
	both(t, func(t *testing.T) {
		g := upTo(4)
		for range g.All() {
			break
		}
		fails[int](t, "Next after a break", greenlet.ErrDone)(g.Next())
		h := upTo(4)
		func() {
			defer func() { _ = recover() }()
			for range h.All() {
				panic("in the loop")
			}
		}()
		fails[int](t, "Next after a panic", greenlet.ErrDone)(h.Next())
	})
}

func TestAllFails(t *testing.T) {
	both(t, func(t *testing.T) {
		g := greenlet.NewGenerator(func(y *yell) error { y.Yield(1); return errTest })
		if got := slices.Collect(g.All()); !slices.Equal(got, []int{1}) || g.Err() != errTest {
			t.Errorf("All = %v, Err %v", got, g.Err())
		}
		h := greenlet.NewGenerator(func(y *yell) error { panic("thud") })
		func() {
			defer func() {
				if p, _ := recover().(*runtime.PanicError); p == nil || p.Value != "thud" {
					t.Errorf("recovered %v", p)
				}
			}()
			for range h.All() {
				t.Error("a value")
			}
		}()
		var k *gen
		k = greenlet.NewGenerator(func(y *yell) error {
			defer func() {
				if r := recover(); r != greenlet.ErrExecuting {
					t.Errorf("recovered %v", r)
				}
			}()
			for range k.All() {
				t.Error("a value")
			}
			return nil
		})
		fails[int](t, "Next", greenlet.ErrDone)(k.Next())
	})
}

func TestGeneratorsInGenerators(t *testing.T) {
	both(t, func(t *testing.T) {
		var digits func(depth int) *gen
		digits = func(depth int) *gen {
			return greenlet.NewGenerator(func(y *yell) error {
				if depth == 0 {
					y.Yield(0)
					return nil
				}
				for i := range 3 {
					for v := range digits(depth - 1).All() {
						y.Yield(10*v + i)
					}
				}
				return nil
			})
		}
		g := digits(4)
		if got := slices.Collect(g.All()); len(got) != 81 || got[80] != 22220/10 {
			t.Errorf("%d values: %v", len(got), got)
		}
		// Left in the middle, all levels are closed.
		for range digits(4).All() {
			break
		}
	})
}
