package greenlet_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/greenlet"
)

// TestGeneratorModel compares a generator that does as it is told with what it
// should do.
func TestGeneratorModel(t *testing.T) {
	clean(t)
	rapid.Check(t, func(t *rapid.T) {
		type step struct {
			what  string
			value int
		}
		steps := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) step {
			return step{
				rapid.SampledFrom([]string{"yield", "yield", "yield", "yieldErr", "yieldErr", "reenter", "return", "fail", "panic", "stop"}).Draw(t, "what"),
				rapid.IntRange(1, 9).Draw(t, "value"),
			}
		}), 0, 10).Draw(t, "steps")

		var seen []string // by the function
		var want []string
		var g *gen
		g = greenlet.NewGenerator(func(y *yell) error {
			defer func() { seen = append(seen, "deferred") }()
			for _, s := range steps {
				switch s.what {
				case "yield":
					seen = append(seen, "sent "+y.Yield(s.value))
				case "yieldErr":
					in, err := y.YieldErr(s.value)
					seen = append(seen, fmt.Sprint("sent ", in, err))
				case "reenter":
					_, err := g.Next()
					seen = append(seen, err.Error())
				case "return":
					return y.Return(s.value)
				case "fail":
					return errTest
				case "panic":
					panic(s.value)
				case "stop":
					return greenlet.ErrDone
				}
			}
			return nil
		})

		// The model: at is the step in which it waits, -1 before the start.
		at, done, closed := -1, false, false
		// advance runs from at+1 to the next yield or the end.
		advance := func() (int, error) {
			for at++; at < len(steps); at++ {
				switch s := steps[at]; s.what {
				case "yield", "yieldErr":
					return s.value, nil
				case "reenter":
					want = append(want, greenlet.ErrExecuting.Error())
				default:
					done = true
					want = append(want, "deferred")
					switch s.what {
					case "fail":
						return 0, errTest
					case "panic":
						return 0, fmt.Errorf("panic %d", s.value)
					case "stop":
						return 0, greenlet.ErrLeaked
					}
					return 0, greenlet.ErrDone
				}
			}
			done = true
			want = append(want, "deferred")
			return 0, greenlet.ErrDone
		}
		resume := func(in string, err error) (int, error) {
			switch {
			case done && err != nil:
				return 0, err
			case done:
				return 0, greenlet.ErrDone
			case at < 0 && err != nil:
				done = true
				return 0, err
			case at < 0 && in != "":
				return 0, greenlet.ErrNotStarted
			case at < 0:
				return advance()
			case steps[at].what == "yieldErr":
				want = append(want, fmt.Sprint("sent ", in, err))
			case err != nil:
				done = true
				want = append(want, "deferred")
				return 0, err
			default:
				want = append(want, "sent "+in)
			}
			return advance()
		}
		check := func(what string, v int, err error, wantV int, wantErr error) {
			t.Helper()
			var p *runtime.PanicError
			if errors.As(err, &p) {
				err = fmt.Errorf("panic %v", p.Value)
			}
			if v != wantV || fmt.Sprint(err) != fmt.Sprint(wantErr) {
				t.Fatalf("%s = %v, %v, want %v, %v", what, v, err, wantV, wantErr)
			}
			if !slices.Equal(seen, want) {
				t.Fatalf("%s: the function saw %q, want %q", what, seen, want)
			}
		}
		closeIt := func() {
			err := g.Close()
			var wantErr error
			if !done && at < 0 {
				done = true
			} else if !done {
				_, wantErr = resume("", greenlet.ErrExit)
				if !done { // ignored
					done = true
					want = append(want, "deferred")
					wantErr = greenlet.ErrIgnored
				} else if wantErr == greenlet.ErrDone || wantErr == greenlet.ErrExit {
					wantErr = nil
				}
			}
			closed = true
			check("Close", 0, err, 0, wantErr)
		}
		for range rapid.IntRange(0, 15).Draw(t, "calls") {
			switch rapid.SampledFrom([]string{"next", "next", "send", "throw", "exit", "close"}).Draw(t, "call") {
			case "next":
				v, err := g.Next()
				wantV, wantErr := resume("", nil)
				check("Next", v, err, wantV, wantErr)
			case "send":
				v, err := g.Send("word")
				wantV, wantErr := resume("word", nil)
				check("Send", v, err, wantV, wantErr)
			case "throw":
				v, err := g.Throw(errTest)
				wantV, wantErr := resume("", errTest)
				check("Throw", v, err, wantV, wantErr)
			case "exit":
				v, err := g.Throw(greenlet.ErrExit)
				wantV, wantErr := resume("", greenlet.ErrExit)
				check("Throw(ErrExit)", v, err, wantV, wantErr)
			case "close":
				closeIt()
			}
		}
		if !closed {
			closeIt()
		}
	})
}
