package greenlet_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/greenlet"
)

// Two greenlets switch to each other: the program of greenlet's tutorial.
func Example() {
	var a, b *greenlet.Greenlet[int, int]
	a = greenlet.New(func(int) (int, error) {
		fmt.Println("A1")
		if _, err := greenlet.SwitchTo(a, b, 0); err != nil {
			return 0, err
		}
		fmt.Println("A2")
		return greenlet.SwitchTo(a, b, 0) // fails with ErrExit: see Close below
	})
	b = greenlet.New(func(int) (int, error) {
		fmt.Println("B1")
		if _, err := greenlet.SwitchTo(b, a, 0); err != nil {
			return 0, err
		}
		fmt.Println("B2")
		return 0, nil // to b's parent, which is not a
	})
	_, _ = a.Switch(0)
	_ = a.Close()
	// Output:
	// A1
	// B1
	// A2
	// B2
}

// A greenlet as a coroutine of its parent: values go in and results come out.
func ExampleGreenlet() {
	var average *greenlet.Greenlet[float64, float64]
	average = greenlet.New(func(v float64) (float64, error) {
		for sum, n := v, 1.0; ; n++ {
			next, err := average.SwitchParent(sum / n)
			if err != nil {
				return 0, err
			}
			sum += next
		}
	})
	defer average.Close()
	for _, v := range []float64{10, 20, 60} {
		fmt.Println(average.Switch(v))
	}
	// Output:
	// 10 <nil>
	// 15 <nil>
	// 30 <nil>
}

// In a task greenlets wait as the task may, and a timeout of a caller's ends them.
func Example_task() {
	err := runtime.Default().Run(func() error {
		ticks := greenlet.NewGenerator(func(y *greenlet.Yielder[int, int]) error {
			defer fmt.Println("closed")
			for i := 1; ; i++ {
				runtime.Sleep(time.Millisecond) // other tasks run
				if y.Yield(i); i == 2 {
					runtime.Sleep(time.Hour)
				}
			}
		})
		return runtime.WithTimeout(50*time.Millisecond, func() error {
			for v := range ticks.All() {
				fmt.Println(v)
			}
			return nil
		})
	})
	fmt.Println(err)
	// Output:
	// 1
	// 2
	// closed
	// runtime: timeout of 50ms
}

func ExampleGreenlet_Throw() {
	var g *greenlet.Greenlet[string, string]
	g = greenlet.New(func(string) (string, error) {
		_, err := g.SwitchParent("ready")
		return "cleaned up after: " + err.Error(), nil
	})
	fmt.Println(g.Switch(""))
	fmt.Println(g.Throw(errors.New("power failure")))
	// Output:
	// ready <nil>
	// cleaned up after: power failure <nil>
}

// Greenlets of different types switch to each other.
func ExampleSwitchTo() {
	var reader *greenlet.Greenlet[int, int]
	var parser *greenlet.Greenlet[string, int]
	words := []string{"a", "quick", "fox"}
	reader = greenlet.New(func(int) (int, error) {
		total := 0
		for _, w := range words {
			n, err := greenlet.SwitchTo(reader, parser, w)
			if err != nil {
				return 0, err
			}
			total += n
		}
		return total, nil
	})
	parser = greenlet.New(func(w string) (int, error) {
		for {
			var err error
			if w, err = greenlet.SwitchTo(parser, reader, len(w)); err != nil {
				return 0, err
			}
		}
	})
	defer parser.Close()
	fmt.Println(reader.Switch(0))
	// Output: 9 <nil>
}

func ExampleAny() {
	main := greenlet.Current()
	var child greenlet.Any = greenlet.New(func(name string) (int, error) {
		me := greenlet.Current()
		fmt.Println(name, me.Active(), me.Parent() == main)
		return len(name), nil
	})
	fmt.Println(child.Started(), child.Dead())
	fmt.Println(child.(*greenlet.Greenlet[string, int]).Switch("child"))
	fmt.Println(child.Started(), child.Dead())
	// Output:
	// false false
	// child true true
	// 5 <nil>
	// true true
}

func ExampleTracer() {
	g := greenlet.New(func(int) (int, error) { return 0, errors.New("no luck") })
	old := greenlet.SetTrace(func(event greenlet.Event, origin, target greenlet.Any) {
		fmt.Println(event, origin == g, target == g)
	})
	defer func() { greenlet.SetTrace(old) }()
	_, err := g.Switch(0)
	fmt.Println(err)
	// Output:
	// switch false true
	// throw true false
	// no luck
}

func ExampleTypeError() {
	g := greenlet.New(func(int) (string, error) { return "done", nil })
	fmt.Println(g.Switch(1))
	_, err := g.Switch(2) // which is passed on to the parent, the caller
	fmt.Println(err)
	fmt.Println(errors.Is(err, greenlet.ErrDead))
	// Output:
	// done <nil>
	// greenlet: int arrived where string is expected, from a switch to a dead greenlet
	// true
}

// Two generators count in turns: the counter of the tutorial.
func ExampleGenerator() {
	count := func(name string, to int) *greenlet.Generator[string, int] {
		return greenlet.NewGenerator(func(y *greenlet.Yielder[string, int]) error {
			for i := 1; i <= to; i++ {
				y.Yield(fmt.Sprint(name, i))
			}
			return nil
		})
	}
	a, b := count("A", 3), count("B", 2)
	defer a.Close()
	defer b.Close()
	for turn, other := a, b; ; turn, other = other, turn {
		v, err := turn.Next()
		if err == greenlet.ErrDone {
			break
		}
		fmt.Println(v)
	}
	// Output:
	// A1
	// B1
	// A2
	// B2
	// A3
}

func ExampleGenerator_All() {
	squares := greenlet.NewGenerator(func(y *greenlet.Yielder[int, int]) error {
		defer fmt.Println("closed")
		for i := 1; ; i++ {
			y.Yield(i * i)
		}
	})
	for v := range squares.All() {
		if v > 10 {
			break
		}
		fmt.Println(v)
	}
	// Output:
	// 1
	// 4
	// 9
	// closed
}

// Values are sent in, and the function returns one.
func ExampleYielder() {
	sum := greenlet.NewGenerator(func(y *greenlet.Yielder[int, int]) error {
		total := 0
		for {
			v, err := y.YieldErr(total)
			if err != nil {
				return y.Return(total)
			}
			total += v
		}
	})
	_, _ = sum.Next() // to the first yield
	fmt.Println(sum.Send(3))
	fmt.Println(sum.Send(4))
	fmt.Println(sum.Close())
	fmt.Println(sum.Result())
	// Output:
	// 3 <nil>
	// 7 <nil>
	// <nil>
	// 7 true
}
