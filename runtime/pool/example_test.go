package pool_test

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/pool"
	"github.com/weft-go/weft/runtime/runtimetest"
)

func ExampleGroup() {
	runtimetest.Example(func() {
		var g pool.Group
		for _, name := range []string{"a", "b"} {
			g.Spawn(func() {
				defer fmt.Println(name, "ends")
				fmt.Println(name, "waits")
				runtime.Sleep(time.Hour)
			})
		}
		fmt.Println(g.JoinUntil(runtime.Now().Add(time.Millisecond)))
		g.Kill(nil)
		fmt.Println(g.Join(), g.Len())
	})
	// Output:
	// a waits
	// b waits
	// runtime: timeout
	// a ends
	// b ends
	// <nil> 0
}

func ExamplePool() {
	runtimetest.Example(func() {
		p := pool.New(2)
		for i := range 4 {
			_, err := p.Spawn(func() { // waits for a slot from the third on
				fmt.Println("task", i, "starts")
				runtime.Yield()
				fmt.Println("task", i, "ends")
			})
			if err != nil {
				return
			}
		}
		_, err := p.TrySpawn(func() {})
		fmt.Println(err)
		_ = p.Join()
	})
	// Output:
	// task 0 starts
	// task 1 starts
	// task 0 ends
	// task 1 ends
	// pool: full
	// task 2 starts
	// task 3 starts
	// task 2 ends
	// task 3 ends
}

func ExampleMap() {
	runtimetest.Example(func() {
		p := pool.New(10)
		lengths, err := pool.Map(p, slices.Values([]string{"a", "bcd", "ef"}), func(s string) (int, error) {
			runtime.Sleep(time.Millisecond) // all three at once
			return len(s), nil
		})
		fmt.Println(lengths, err)
	})
	// Output: [1 3 2] <nil>
}

func ExampleIMap() {
	runtimetest.Example(func() {
		half := func(n int) (int, error) {
			if n%2 != 0 {
				return 0, errors.New("odd")
			}
			return n / 2, nil
		}
		for v, err := range pool.IMap(pool.New(2), 4, slices.Values([]int{8, 3, 4}), half) {
			fmt.Println(v, err)
		}
	})
	// Output:
	// 4 <nil>
	// 0 odd
	// 2 <nil>
}

func ExampleIMapUnordered() {
	runtimetest.Example(func() {
		sleep := func(d time.Duration) (time.Duration, error) {
			runtime.Sleep(d)
			return d, nil
		}
		delays := slices.Values([]time.Duration{40 * time.Millisecond, time.Millisecond, 20 * time.Millisecond})
		for d := range pool.IMapUnordered(new(pool.Group), 0, delays, sleep) {
			fmt.Println(d)
		}
	})
	// Output:
	// 1ms
	// 20ms
	// 40ms
}

func ExampleApply() {
	runtimetest.Example(func() {
		p := pool.New(1)
		fmt.Println(pool.Apply(p, func() (string, error) { return "the result", nil }))
	})
	// Output: the result <nil>
}

func ExampleApplyAsync() {
	runtimetest.Example(func() {
		p := pool.New(1)
		six := pool.ApplyAsync(p, func() (int, error) { return 6, nil })
		seven := pool.ApplyAsync(p, func() (int, error) { return 7, nil }) // has to wait, its caller not
		a, _ := six.Get()
		b, _ := seven.Get()
		fmt.Println(a * b)
	})
	// Output: 42
}

func ExampleResult() {
	runtimetest.Example(func() {
		r := pool.ApplyAsync(pool.New(1), func() (int, error) {
			runtime.Sleep(time.Hour)
			return 1, nil
		})
		fmt.Println(r.Ready())
		_, err := r.GetUntil(runtime.Now().Add(time.Millisecond))
		fmt.Println(err)
		r.Kill(errors.New("too slow"))
		_, err = r.Get()
		fmt.Println(err)
	})
	// Output:
	// false
	// runtime: timeout
	// runtime: task killed: too slow
}
