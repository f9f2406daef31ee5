// Pool gives jobs to two processes: one and waits for it, then several at a time whose results
// a callback gets in this process, and one that fails.
package main

import (
	"errors"
	"fmt"
	"log"
	"os"
	"slices"
	"sync/atomic"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/process"
)

var (
	square = process.Register("square", func(n int) (int, error) { return n * n, nil })
	crash  = process.Register("crash", func(int) (int, error) { os.Exit(3); return 0, nil })
	whoami = process.Register("whoami", func(int) (int, error) { return os.Getpid(), nil })
)

func main() {
	process.Main(func() {
		pool, err := process.NewPool(2)
		check(err)
		n, err := process.Apply(pool, square, 12)
		check(err)
		fmt.Println("apply:", n)

		pid, err := process.Apply(pool, whoami, 0)
		check(err)
		fmt.Println("in this process:", pid == os.Getpid())

		var results []int // callbacks are tasks of the caller's worker: they take turns
		var mine atomic.Int32
		for n := range 5 {
			r, err := process.ApplyAsync(pool, square, n)
			check(err)
			r.OnSuccess(func(n int) {
				results = append(results, n)
				mine.Store(int32(os.Getpid()))
			})
		}
		for len(results) < 5 {
			runtime.Yield()
		}
		slices.Sort(results)
		fmt.Println("apply_async, by a callback in this process:", results, int(mine.Load()) == os.Getpid())

		_, err = process.Apply(pool, crash, 0)
		var died *process.WorkerDiedError
		fmt.Println("a job whose process dies fails alone:", errors.As(err, &died))
		all, err := process.Map(pool, square, []int{1, 2, 3})
		check(err)
		fmt.Println("map, after that:", all)

		pool.Close()
		check(pool.Join())
	})
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
