// Queue has two processes put work into a queue, and two others take it out.
package main

import (
	"fmt"
	"log"

	"github.com/weft-go/weft/runtime/process"
)

const items = 1000

type side struct {
	Numbers *process.Queue[int]
	From    int
}

var (
	produce = process.Register("produce", func(s side) (int, error) {
		for n := range items {
			if err := s.Numbers.Put(s.From + n); err != nil {
				return 0, err
			}
		}
		return items, nil
	})
	consume = process.Register("consume", func(s side) (int, error) {
		sum := 0
		for n := range s.Numbers.All() { // until it is closed and empty
			sum += n
		}
		return sum, nil
	})
)

func main() {
	process.Main(func() {
		q, err := process.NewQueue[int](process.Here, 100) // Put waits while a hundred are in it
		check(err)
		var producers, consumers []*process.Running[int]
		for i := range 2 {
			p, err := process.Start(produce, side{q, i * items})
			check(err)
			c, err := process.Start(consume, side{Numbers: q})
			check(err)
			producers, consumers = append(producers, p), append(consumers, c)
		}
		put := total(producers)
		check(q.Close()) // no more is to come
		fmt.Println("put:", put, "items")
		fmt.Println("sum of what was taken:", total(consumers))
		fmt.Println("sum of what was put:  ", 2*items*(2*items-1)/2)
	})
}

func total(all []*process.Running[int]) (sum int) {
	for _, p := range all {
		n, err := p.Result()
		check(err)
		sum += n
	}
	return sum
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
