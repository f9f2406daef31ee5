// Lock has ten processes add to one number. Each reads it, waits a moment, and writes it: with
// a lock nothing is lost, without it most of it is.
package main

import (
	"fmt"
	"log"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/process"
)

const adders, times = 10, 5

type account struct {
	Lock    *process.Lock // nil: without
	Balance *process.Value[int]
	Start   *process.Event
}

var add = process.Register("add", func(a account) (int, error) {
	if err := a.Start.Wait(); err != nil {
		return 0, err
	}
	one := func(bool) error {
		balance, err := a.Balance.Get()
		if err != nil {
			return err
		}
		runtime.Sleep(time.Millisecond)
		return a.Balance.Set(balance + 1)
	}
	for range times {
		var err error
		if a.Lock == nil {
			err = one(false)
		} else {
			err = a.Lock.With(one)
		}
		if err != nil {
			return 0, err
		}
	}
	return times, nil
})

func main() {
	process.Main(func() {
		lock, err := process.NewLock(process.Here)
		check(err)
		fmt.Println("with a lock:", run(lock), "of", adders*times)
		fmt.Println("without it some is lost:", run(nil) < adders*times)
	})
}

// run returns the balance in the end.
func run(lock *process.Lock) int {
	balance, err := process.NewValue(process.Here, 0)
	check(err)
	start, err := process.NewEvent(process.Here)
	check(err)
	var all []*process.Running[int]
	for range adders {
		p, err := process.Start(add, account{lock, balance, start})
		check(err)
		all = append(all, p)
	}
	check(start.Set()) // all begin together
	for _, p := range all {
		_, err := p.Result()
		check(err)
	}
	sum, err := balance.Get()
	check(err)
	return sum
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
