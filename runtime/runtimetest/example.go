package runtimetest

import (
	"context"
	"fmt"
	"log"

	"github.com/weft-go/weft/runtime"
)

// Example runs fn as a task of a new runtime with one worker, for an Example, and
// then ends the tasks that are left. It prints the error by which fn did not end
// well.
func Example(fn func()) {
	rt, err := runtime.New(runtime.Config{Workers: 1})
	if err != nil {
		log.Fatal(err)
	}
	if err := rt.Run(func() error { fn(); return nil }); err != nil {
		fmt.Println(err)
	}
	if err := rt.Stop(context.Background()); err != nil {
		log.Fatal(err)
	}
}
