package cluster_test

import (
	"fmt"
	"log"

	"github.com/weft-go/weft/runtime/process"
	"github.com/weft-go/weft/runtime/process/cluster"
	"github.com/weft-go/weft/runtime/runtimetest"
)

var cube = process.Register("example cube", func(n int) (int, error) { return n * n * n, nil })

// In a program main calls process.Main, which runs a function as runtimetest.Example does here.
func Example() {
	runtimetest.Example(func() {
		c, err := cluster.Open(cluster.Config{}) // a trial: with a URL it is a real cluster
		if err != nil {
			log.Fatal(err)
		}
		pool, err := process.NewPool(2, c.Pool("cubes"))
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(process.Map(pool, cube, []int{1, 2, 3}))
		pool.Close()
		fmt.Println(pool.Join(), c.Close())
	})
	// Output:
	// [1 8 27] <nil>
	// <nil> <nil>
}

// What a machine runs that does jobs of others: the same program.
func ExampleCluster_Work() {
	runtimetest.Example(func() {
		c, err := cluster.Open(cluster.Config{})
		if err != nil {
			log.Fatal(err)
		}
		workers, err := c.Work("cubes", 1) // on one machine
		if err != nil {
			log.Fatal(err)
		}
		pool, err := process.NewPool(0, c.Remote("cubes")) // on another one
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(process.Apply(pool, cube, 10))
		pool.Close()
		fmt.Println(pool.Join())
		workers.Close()
		fmt.Println(workers.Join(), c.Close())
	})
	// Output:
	// 1000 <nil>
	// <nil>
	// <nil> <nil>
}

func ExampleCluster_Queue() {
	runtimetest.Example(func() {
		c, err := cluster.Open(cluster.Config{})
		if err != nil {
			log.Fatal(err)
		}
		orders, err := process.NewQueue[string](c.Queue("orders"), 100)
		if err != nil {
			log.Fatal(err)
		}
		for _, order := range []string{"tea", "cake"} {
			if err := orders.Put(order); err != nil {
				log.Fatal(err)
			}
		}
		fmt.Println(orders.Close())
		for order := range orders.All() { // an order is done with when the loop asks for the next one
			fmt.Println(order)
		}
		fmt.Println(orders.Remove(), c.Close())
	})
	// Output:
	// <nil>
	// tea
	// cake
	// <nil> <nil>
}
