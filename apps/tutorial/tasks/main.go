// Tasks shows that a task which waits lets another one run: two tasks of one thread print
// two lines each, and how long they sleep decides on the order.
package main

import (
	"fmt"
	"time"

	"github.com/weft-go/weft/runtime"
)

func main() {
	runtime.Main(func() {
		long := runtime.Spawn(func() { work("long", 200*time.Millisecond) })
		short := runtime.Spawn(func() { work("short", 100*time.Millisecond) })
		_ = runtime.JoinAll(long, short)
	})
}

func work(name string, pause time.Duration) {
	fmt.Println(name, "begins")
	runtime.Sleep(pause)
	fmt.Println(name, "ends")
}
